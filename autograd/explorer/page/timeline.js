// A bar a step, as tall as the root of its time, so that one slow step does not make all others a line; in long runs a bar is the
// longest of several steps.

class Timeline {
  constructor(run, go) {
    Object.assign(this, { run, hits: new Set() });
    this.box = byId("timeline");
    this.cursor = byId("cursor");
    this.box.addEventListener("pointerdown", (event) => this.pressed(event, go));
    this.box.addEventListener("pointermove", (event) => { if (event.buttons === 1) this.pressed(event, go); });
    new ResizeObserver(() => this.draw()).observe(this.box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  pressed(event, go) {
    const share = (event.clientX - this.box.getBoundingClientRect().left) / this.box.clientWidth;
    const count = this.run.steps.length;
    if (count > 0) go(Math.max(0, Math.min(count - 1, Math.floor(share * count))));
  }

  /** Bars as wide as a pixel at least: of each the longest step, and whether it holds one that was searched for. */
  bars(width) {
    const steps = this.run.steps;
    const count = Math.min(steps.length, Math.max(1, Math.floor(width)));
    const bars = Array.from({ length: count }, () => ({ step: null, isHit: false }));
    for (const step of steps) {
      const bar = bars[Math.floor(step.number * count / steps.length)];
      if (bar.step === null || step.seconds > bar.step.seconds) bar.step = step;
      bar.isHit = bar.isHit || this.hits.has(step.number);
    }
    return bars;
  }

  draw() {
    const width = this.box.clientWidth, height = this.box.clientHeight;
    const context = prepareCanvas(this.box.querySelector("canvas"), width, height);
    const bars = this.bars(width);
    const longest = Math.max(...bars.map((bar) => (bar.step === null ? 0 : bar.step.seconds)), 1e-12);
    const each = width / Math.max(1, bars.length);
    const gap = each >= 4 ? 1 : 0;
    const colors = Object.fromEntries(phases.map((phase) => [phase, styleOf("--" + phase)]));
    const hit = styleOf("--hit");
    bars.forEach(({ step, isHit }, k) => {
      const tall = Math.max(2, (height - 4) * Math.sqrt(step.seconds / longest));
      if (isHit) {
        context.fillStyle = hit;
        context.fillRect(k * each, 0, Math.max(1, each - gap), height);
      }
      context.fillStyle = colors[step.phase];
      context.fillRect(k * each, height - tall, Math.max(0.75, each - gap), tall);
    });
  }

  show(number) {
    const count = Math.max(1, this.run.steps.length);
    this.cursor.style.left = 100 * number / count + "%";
    this.cursor.style.width = "max(3px, " + 100 / count + "%)";
  }
}
