// The list of steps. Only the rows that are seen are in the document, so thousands cost what thirty do.

const rowHeight = 24;

class StepList {
  /** `select(step)` and `toggle(group)` are called for clicks. */
  constructor(run, select, toggle) {
    Object.assign(this, { run, select, toggle, hits: new Set(), current: 0, pool: [], version: 0 });
    this.root = buildTree(run);
    this.box = byId("list");
    this.paper = byId("rows");
    this.box.addEventListener("scroll", () => this.render());
    new ResizeObserver(() => this.render()).observe(this.box);
    this.paper.addEventListener("click", (event) => this.clicked(event));
    this.refold();
  }

  /** After groups were folded or unfolded. */
  refold() {
    ++this.version;
    this.rows = visibleRows(this.root);
    this.rowOfStep = new Map();
    this.rowOfGroup = new Map();
    this.rows.forEach((row, place) => (isGroup(row) ? this.rowOfGroup : this.rowOfStep).set(row, place));
    this.paper.style.height = this.rows.length * rowHeight + "px";
  }

  clicked(event) {
    const element = event.target.closest(".row");
    if (element === null) return;
    const row = this.rows[Number(element.dataset.place)];
    if (isGroup(row)) {
      this.toggle(row);
    } else {
      this.select(row.number);
    }
  }

  /** Where the step, or the folded group around it, is in the list. */
  placeOf(step) {
    const folded = foldedAround(step);
    return folded === null ? this.rowOfStep.get(step) : this.rowOfGroup.get(folded);
  }

  /** The step that the keys go to from one: those in a folded group count as one. */
  neighbour(number, direction) {
    const place = this.placeOf(this.run.steps[number]);
    for (let next = place + direction; next >= 0 && next < this.rows.length; next += direction) {
      const row = this.rows[next];
      if (!isGroup(row)) return row.number;
      if (row.isFolded) return row.first;
    }
    return number;
  }

  /** The first step of the next group of steps, or of the one before. */
  neighbourGroup(number, direction) {
    const steps = this.run.steps;
    const start = (at) => {
      while (at > 0 && steps[at - 1].group === steps[at].group) --at;
      return at;
    };
    if (direction < 0) {
      const first = start(number);
      return first < number || first === 0 ? first : start(first - 1);
    }
    let next = number;
    while (next < steps.length && steps[next].group === steps[number].group) ++next;
    return next < steps.length ? next : number;
  }

  /** Marks the steps that were searched for. */
  mark(hits) {
    ++this.version;
    this.hits = hits;
    this.render();
  }

  show(number) {
    this.current = number;
    if (this.run.steps.length > 0) this.reveal(this.placeOf(this.run.steps[number]));
    this.render();
  }

  reveal(place) {
    const top = place * rowHeight;
    const margin = 2 * rowHeight;
    const height = this.box.clientHeight;
    if (top - margin < this.box.scrollTop) this.box.scrollTop = top - margin;
    if (top + rowHeight + margin > this.box.scrollTop + height) this.box.scrollTop = top + rowHeight + margin - height;
  }

  /** A row keeps its element for as long as it is in sight, and is filled anew only where it says something else. */
  render() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / rowHeight) - 4);
    const end = Math.min(this.rows.length, first + Math.ceil(this.box.clientHeight / rowHeight) + 8);
    if (this.pool.length < end - first) ++this.version;  // each row gets another element
    while (this.pool.length < end - first) this.pool.push(this.paper.appendChild(make("div", { role: "treeitem" })));
    const current = this.run.steps.length > 0 ? this.placeOf(this.run.steps[this.current]) : -1;
    const unused = new Set(this.pool);
    for (let place = first; place < end; ++place) {
      const element = this.pool[place % this.pool.length];
      const state = this.version + " " + place + " " + (place === current);
      if (element.dataset.state !== state) this.fill(element, place, current);
      element.dataset.state = state;
      element.hidden = false;
      unused.delete(element);
    }
    unused.forEach((element) => { element.hidden = true; });
    if (current >= 0) this.box.setAttribute("aria-activedescendant", "row-" + current);
  }

  fill(element, place, currentPlace) {
    const row = this.rows[place];
    const isCurrent = place === currentPlace;
    element.className = "row " + row.phase + (isGroup(row) ? " group" : "") + (isCurrent ? " current" : "") +
                        (!isGroup(row) && this.hits.has(row.number) ? " hit" : "");
    element.id = "row-" + place;
    element.dataset.place = place;
    element.style.top = place * rowHeight + "px";
    element.style.paddingLeft = 6 + 12 * (isGroup(row) ? row.depth : row.group.depth + 1) + "px";
    element.setAttribute("aria-level", (isGroup(row) ? row.depth : row.group.depth + 1) + 1);
    element.setAttribute("aria-selected", isCurrent);
    if (isGroup(row)) {
      this.fillGroup(element, row);
    } else {
      this.fillStep(element, row);
    }
  }

  fillGroup(element, group) {
    element.setAttribute("aria-expanded", !group.isFolded);
    element.removeAttribute("data-step");
    element.title = group.label;
    element.replaceChildren(
      make("span", { class: "twisty", "aria-hidden": "true" }, group.isFolded ? "▸" : "▾"),
      make("span", { class: "label" }, group.label),
      make("span", { class: "side" }, group.steps + " · " + secondsText(group.seconds)));
  }

  fillStep(element, step) {
    element.removeAttribute("aria-expanded");
    element.dataset.step = step.number;
    element.title = step.text;
    const made = step.outputs.map((output) => this.run.values[output.value]);
    const isBad = made.some((value) => hasNan(value)), isInfinite = made.some((value) => hasInfinity(value));
    fill(element,
      make("span", { class: "number" }, String(step.number)),
      make("span", { class: "label" }, step.operation),
      isBad || isInfinite ? make("span", { class: "bad" }, isBad ? "NaN" : "∞") : null,
      make("span", { class: "side" }, made.map((value) => value.name).join(", ")));
  }
}
