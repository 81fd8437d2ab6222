// Steps whose operation, attributes, module, rule or values' names hold all the words.

class Search {
  /** `found(hits)` is called when the words change, `go(step)` for the chosen one. */
  constructor(run, found, go) {
    Object.assign(this, { run, found, go, hits: [], at: -1 });
    this.box = byId("search");
    this.count = byId("found");
    this.box.addEventListener("input", () => this.changed());
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  changed() {
    const words = this.box.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    this.hits = words.length === 0 ? [] : this.run.steps.filter((step) => words.every((word) => step.words.includes(word)))
                                            .map((step) => step.number);
    this.at = -1;
    this.found(new Set(this.hits));
    this.tell();
  }

  tell() {
    const isEmpty = this.box.value.trim() === "";
    this.count.textContent = isEmpty ? "" : this.hits.length === 0 ? "none" : this.at < 0 ? String(this.hits.length)
                                          : (this.at + 1) + " of " + this.hits.length;
  }

  /** The next hit after the step at hand, or the one before, around the ends. */
  next(direction, current) {
    if (this.hits.length === 0) return;
    const isFirst = this.at < 0;
    const after = this.hits.findIndex((hit) => (isFirst ? hit >= current : hit > current));
    if (direction > 0) {
      this.at = after < 0 ? 0 : after;
    } else {
      const before = this.hits.filter((hit) => hit < current).length - 1;
      this.at = before < 0 ? this.hits.length - 1 : before;
    }
    this.tell();
    this.go(this.hits[this.at]);
  }

  key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.next(event.shiftKey ? -1 : 1, page.current);
    } else if (event.key === "Escape") {
      this.box.value = "";
      this.changed();
      this.box.blur();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      this.box.blur();
    }
    event.stopPropagation();
  }
}
