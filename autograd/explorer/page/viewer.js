// A value in one of three views, and its cotangent in the same one beside it.

const views = [["heat", "Heat map"], ["histogram", "Histogram"], ["numbers", "Numbers"]];

const mostTiles = 64;

class Viewer {
  constructor(run) {
    Object.assign(this, { run, view: "heat", tiled: true, showsCotangent: true, value: null, leading: [], palette: makePalette() });
    this.pane = byId("value-pane");
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.palette = makePalette();
      this.render();
    });
    new ResizeObserver(() => this.resized()).observe(this.pane);
  }

  show(value) {
    if (value !== this.value) this.leading = value === null ? [] : value.shape.slice(0, -2).map(() => 0);
    this.value = value;
    this.render();
  }

  setView(view) {
    this.view = view;
    this.render();
  }

  toggleTiles() {
    this.tiled = !this.tiled;
    this.render();
  }

  toggleCotangent() {
    this.showsCotangent = !this.showsCotangent;
    this.render();
  }

  resized() {
    if (Math.abs(this.pane.clientWidth - this.drawnWidth) > 8) this.render();
  }

  render() {
    this.drawnWidth = this.pane.clientWidth;
    if (this.value === null) {
      this.pane.replaceChildren(make("p", { class: "note" }, "No value."));
      return;
    }
    this.bodies = [];
    const both = make("div", { class: "both" + (this.showsCotangent ? "" : " alone") }, this.half(this.value, "Value"));
    if (this.showsCotangent) both.append(this.cotangentHalf());
    keepFocus(this.pane, () => this.pane.replaceChildren(this.controls(), both));
    // Pictures are fitted to their boxes, which have a size only now.
    this.bodies.forEach(([body, value]) => this.fillBody(body, value));
  }

  controls() {
    const buttons = views.map(([view, label], k) =>
      make("button", { type: "button", "data-view": view, "aria-pressed": view === this.view, title: label + " (" + (k + 1) + ")",
                       onclick: () => this.setView(view) }, label));
    const cotangent = make("button", { type: "button", id: "cotangent-button", "aria-pressed": this.showsCotangent,
                                       title: "Show the cotangent (c)", onclick: () => this.toggleCotangent() }, "Cotangent");
    return make("div", { class: "controls" }, make("div", { class: "tabs", role: "group", "aria-label": "View" }, ...buttons),
                cotangent, this.view === "heat" && this.tiledAxis(this.value) >= 0 ? this.tileButton() : null, this.sliders());
  }

  tileButton() {
    return make("button", { type: "button", id: "tile-button", "aria-pressed": this.tiled, title: "Matrices side by side (t)",
                            onclick: () => this.toggleTiles() }, "Side by side");
  }

  /** The last of the leading axes that has more than one entry, whose matrices may stand side by side; -1 if none. */
  tiledAxis(value) {
    return value.shape.slice(0, -2).findLastIndex((size) => size > 1);
  }

  /** One for each axis before the last two; what they choose shows in both halves. */
  sliders() {
    const shape = this.value.shape;
    const box = make("div", { class: "sliders" });
    if (this.view === "histogram" || keptOf(this.value) === null || this.value.numel === 0) return box;
    this.leading.forEach((at, axis) => {
      if (shape[axis] < 2 || (this.view === "heat" && this.tiled && axis === this.tiledAxis(this.value))) return;
      const inner = product(shape.slice(axis + 1, -2));
      const last = Math.min(shape[axis], Math.ceil(keptOf(this.value).matrices / inner)) - 1;
      const number = make("output", {}, String(at));
      const slider = make("input", { type: "range", min: 0, max: last, value: at, disabled: last === 0,
                                     "aria-label": "Index of axis " + axis });
      slider.addEventListener("input", () => {
        this.leading[axis] = Number(slider.value);
        number.textContent = slider.value;
        this.bodies.forEach(([body, value]) => this.fillBody(body, value));
      });
      box.append(make("label", {}, "axis " + axis, slider, number, make("span", { class: "of" }, "of " + shape[axis])));
    });
    return box;
  }

  half(value, title) {
    const body = make("div", { class: "body" });
    this.bodies.push([body, value]);
    return make("article", { class: "half", "data-value": value.number },
      make("h3", {}, title + " ", make("b", {}, value.name), " ",
           make("span", { class: "spec" }, value.dtype + " " + shapeText(value.shape))),
      this.statistics(value), body);
  }

  cotangentHalf() {
    if (this.value.cotangent !== undefined) return this.half(this.run.values[this.value.cotangent], "Cotangent");
    return make("article", { class: "half" }, make("h3", {}, "Cotangent"),
                make("p", { class: "note" }, "No sweep came by this value: it has none."));
  }

  statistics(value) {
    const stats = value.stats;
    if (stats === undefined || stats.finite + stats.nan + stats.inf + stats.minus_inf === 0) return null;
    const term = (name, text, kind) => make("span", { class: kind }, name + " ", make("b", {}, text));
    const atAGlance = (text) => shortText(Number(text));
    const box = make("p", { class: "stats" });
    if (stats.finite > 0) {
      box.append(term("min", atAGlance(stats.min)), term("max", atAGlance(stats.max)), term("mean", shortText(stats.mean)),
                 term("std", shortText(stats.std)));
    }
    if (stats.nan > 0) box.append(term("NaN", stats.nan.toLocaleString("en"), "bad"));
    if (stats.inf > 0) box.append(term("inf", stats.inf.toLocaleString("en"), "bad"));
    if (stats.minus_inf > 0) box.append(term("-inf", stats.minus_inf.toLocaleString("en"), "bad"));
    return box;
  }

  fillBody(body, value) {
    if (this.view === "histogram") {
      body.replaceChildren(value.stats === undefined ? notHere() : histogramOf(value));
      return;
    }
    const kept = keptOf(value);
    if (kept === null || kept.elements.length === 0) {
      body.replaceChildren(kept === null ? notHere() : make("p", { class: "note" }, "There are no elements."));
      return;
    }
    const { matrix, leading } = this.matrixOf(value, kept);
    const tiles = this.view === "heat" && this.tiled ? this.tilesOf(value, kept, leading) : [{ matrix, leading }];
    if (tiles.length === 0 || tiles[0].matrix >= kept.matrices) {
      body.replaceChildren(make("p", { class: "note" }, keptNote(value, kept)));
      return;
    }
    const width = Math.max(120, body.clientWidth), height = Math.max(160, Math.min(480, window.innerHeight * 0.55));
    body.replaceChildren(this.view === "heat" ? heatMap(value, kept, tiles, this.palette, width, height)
                                              : numberTable(value, kept, matrix, leading));
    if (!kept.isWhole) body.append(make("p", { class: "note" }, keptNote(value, kept)));
  }

  /** Which of the kept matrices the sliders choose. A value of another rank than theirs shows its first. */
  matrixOf(value, kept) {
    const leading = this.leading.length === kept.leading.length ? this.leading : kept.leading.map(() => 0);
    return { matrix: placeIn(kept.leading, leading), leading };
  }

  /** All that are kept along the tiled axis. */
  tilesOf(value, kept, leading) {
    const axis = this.tiledAxis(value);
    const all = Array.from({ length: axis < 0 ? 1 : value.shape[axis] }, (_, at) => {
      const place = leading.map((other, k) => (k === axis ? at : other));
      return { matrix: placeIn(kept.leading, place), leading: place };
    });
    return all.filter(({ matrix }) => matrix < kept.matrices).slice(0, mostTiles);
  }
}

const placeIn = (shape, index) => index.reduce((place, at, axis) => place * shape[axis] + at, 0);

const notHere = () => make("p", { class: "note" }, "The run has no elements of this value: no step has made it.");

/** What of a value is in the page, if not all. */
function keptNote(value, kept) {
  const all = product(kept.leading);
  const steps = [kept.rowStep > 1 ? "every " + ordinal(kept.rowStep) + " row" : "",
                 kept.columnStep > 1 ? "every " + ordinal(kept.columnStep) + (value.shape.length < 2 ? " element" : " column") : ""]
    .filter((text) => text !== "").join(" and ");
  const matrices = all > kept.matrices ? "the first " + kept.matrices + " of " + all + " matrices" : "";
  return "Shown: " + [steps, matrices].filter((text) => text !== "").join(" of ") + ". The page has " +
         kept.elements.length.toLocaleString("en") + " of " + countText(value.numel, "element") +
         "; statistics and histogram are of all.";
}

function ordinal(n) {
  const last = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10;
  return n + (["th", "st", "nd", "rd"][last] || "th");
}
