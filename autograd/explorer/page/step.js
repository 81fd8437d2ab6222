// The step at hand: what it computes, of what, and what it costs.

class StepPane {
  /** `go(step)` jumps, `look(value)` shows a value and stays. */
  constructor(run, go, look) {
    Object.assign(this, { run, go, look });
    this.pane = byId("step-pane");
  }

  show(step, lookedAt) {
    this.lookedAt = lookedAt;
    keepFocus(this.pane, () => fill(this.pane,
      make("h2", {}, make("span", { class: "phase " + step.phase }, step.phase), step.operation),
      make("pre", { class: "text", tabindex: "0", "aria-label": "The step as text" }, step.text),
      this.formula(step), this.operands(step, "inputs"), this.operands(step, "outputs"), this.origin(step), this.costs(step)));
    this.pane.scrollTop = 0;
  }

  showNothing() {
    this.pane.replaceChildren(make("h2", {}, "No steps"), make("p", { class: "note" },
      "What the program returns are inputs, state or constants as they are."));
  }

  formula(step) {
    const formula = this.run.formulas[step.operation];
    if (formula === undefined) return null;
    return make("p", { class: "formula" }, formula.text);
  }

  /** "a" for the first operand of "a b", "x2" for the second of "x…", empty where the formula names none. */
  letterOf(step, kind, k) {
    const formula = this.run.formulas[step.operation];
    if (formula === undefined) return "";
    const letters = formula[kind].split(" ").filter((letter) => letter !== "");
    // Outputs that nothing reads are not told: which of several the others are is not known then.
    if (kind === "outputs" && step.outputs.length < letters.filter((letter) => !letter.endsWith("?")).length) return "";
    const last = letters[letters.length - 1] || "";
    if (last.endsWith("…") && k >= letters.length - 1) return last.slice(0, -1) + subscript(k - letters.length + 2);
    return (letters[k] || "").replace("?", "");
  }

  operands(step, kind) {
    const rows = step[kind].map((operand, k) => this.operandRow(step, kind, operand, k));
    return make("div", { class: "operands " + kind }, make("h3", {}, kind === "inputs" ? "Inputs" : "Outputs"),
                rows.length > 0 ? make("ul", {}, ...rows) : make("p", { class: "note" }, kind === "inputs" ? "none" : "none that is read"));
  }

  operandRow(step, kind, operand, k) {
    const value = this.run.values[operand.value];
    const links = kind === "inputs" ? this.makerLinks(value) : this.userLinks(value);
    return make("li", {}, make("span", { class: "letter" }, this.letterOf(step, kind, k)),
      make("span", { class: "operand" }, this.chip(value),
           make("span", { class: "spec" }, value.dtype + " " + shapeText(operand.shape || value.shape)),
           make("span", { class: "links" }, ...links)));
  }

  /** A button that shows the value. */
  chip(value) {
    const isBad = hasNan(value) || hasInfinity(value);
    return make("button", { type: "button", class: "chip " + value.source + (isBad ? " bad" : ""), "data-value": value.number,
                            "aria-pressed": value.number === this.lookedAt, title: "Show " + value.name,
                            onclick: () => this.look(value.number) }, value.name);
  }

  /** A button that goes to a step. */
  link(number, arrow) {
    const step = this.run.steps[number];
    return make("button", { type: "button", class: "link " + step.phase, "data-to": number, title: step.text,
                            "aria-label": "Go to step " + number + ", " + step.operation, onclick: () => this.go(number) },
                arrow + " " + number + " " + step.operation);
  }

  makerLinks(value) {
    return [value.maker >= 0 ? this.link(value.maker, "↖") : make("span", { class: "source" }, value.source)];
  }

  userLinks(value) {
    const most = 6;
    const links = value.users.slice(0, most).map((user) => this.link(user, "↘"));
    if (value.users.length > most) links.push(make("span", { class: "source" }, "and " + (value.users.length - most) + " more"));
    const changed = this.run.state.filter((state) => state.after === value.number).map((state) => "next " + state.name);
    const roles = changed.concat(value.isResult ? ["a result"] : []);
    return links.concat(roles.map((role) => make("span", { class: "source" }, role)));
  }

  origin(step) {
    const list = make("dl", { class: "facts" });
    const add = (name, ...content) => list.append(make("dt", {}, name), make("dd", {}, ...content));
    if (step.attributes !== "") add("attributes", step.attributes);
    add("module", step.module === "" ? "none" : step.module);
    if (step.rule !== "") {
      const of = step.of === undefined ? null : this.run.values[step.of];
      add("rule", "of " + step.rule, ...(of === null ? [] : [", which made ", this.chip(of), " ",
                                                              of.maker >= 0 ? this.link(of.maker, "↖") : null].filter((x) => x !== null)));
    }
    for (const output of step.outputs) {
      const value = this.run.values[output.value];
      if (value.cotangentOf.length === 0) continue;
      const of = value.cotangentOf.slice(0, 4).map((number) => this.chip(this.run.values[number]));
      add("gradient", this.chip(value), " is the cotangent of ", ...of.flatMap((chip, k) => (k === 0 ? [chip] : [" and of ", chip])));
    }
    return list;
  }

  costs(step) {
    const share = this.run.seconds > 0 ? step.seconds / this.run.seconds : 0;
    const rate = step.flops > 0 && step.seconds > 0 ? ", " + flopsText(step.flops / step.seconds) + "/s" : "";
    return make("dl", { class: "facts costs" },
      make("dt", {}, "time"), make("dd", {}, secondsText(step.seconds) + ", " + (100 * share).toFixed(1) + " % of the run",
        make("span", { class: "share" }, make("span", { style: "width:" + (100 * share).toFixed(2) + "%" }))),
      make("dt", {}, "arithmetic"), make("dd", {}, flopsText(step.flops) + rate),
      make("dt", {}, "bytes made"), make("dd", {}, bytesText(step.bytes)));
  }
}

function subscript(n) {
  return String(n).replace(/[0-9]/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]);
}
