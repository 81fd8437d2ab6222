// The page: one step at hand, which everything shows.

const page = { current: 0, lookedAt: null, isDrawn: true, hashTimer: 0 };
const run = readRun();
const viewer = new Viewer(run);
const list = new StepList(run, go, toggleFold);
const stepPane = new StepPane(run, go, look);
const timeline = new Timeline(run, go);
const search = new Search(run, showHits, go);

/** Makes a step the one at hand. It is drawn with the next frame: a held key may be faster. */
function select(number) {
  page.current = number;
  page.lookedAt = shownFirst(run.steps[number]);
  document.body.dataset.step = number;
  drawSoon();
}

/** The same for what may lie in a folded module. */
function go(number) {
  if (unfoldAround(run.steps[number])) list.refold();
  select(number);
}

/** Of a step the value that is looked at unless another is chosen. */
function shownFirst(step) {
  const operand = step.outputs[0] || step.inputs[0];
  return operand === undefined ? null : operand.value;
}

function look(value) {
  page.lookedAt = value;
  drawSoon();
}

function drawSoon() {
  if (!page.isDrawn) return;
  page.isDrawn = false;
  requestAnimationFrame(draw);
}

function draw() {
  page.isDrawn = true;
  const hasSteps = run.steps.length > 0;
  byId("where").textContent = hasSteps ? page.current + " / " + (run.steps.length - 1) : "no steps";
  byId("first").disabled = byId("previous").disabled = !hasSteps || page.current === 0;
  byId("last").disabled = byId("next").disabled = !hasSteps || page.current === run.steps.length - 1;
  list.show(page.current);
  timeline.show(page.current);
  if (hasSteps) {
    stepPane.show(run.steps[page.current], page.lookedAt);
  } else {
    stepPane.showNothing();
  }
  viewer.show(page.lookedAt === null ? null : run.values[page.lookedAt]);
  clearTimeout(page.hashTimer);
  page.hashTimer = setTimeout(tellStep, 200);
}

/** Once the user rests: the address, so that it can be kept, and what a screen reader says. */
function tellStep() {
  if (run.steps.length === 0) return;
  const step = run.steps[page.current];
  if (location.hash !== "#" + page.current) history.replaceState(null, "", "#" + page.current);
  byId("live").textContent = "Step " + page.current + " of " + run.steps.length + ": " + step.phase + ", " + step.text;
}

function toggleFold(group) {
  group.isFolded = !group.isFolded;
  list.refold();
  drawSoon();
}

function showHits(hits) {
  list.mark(hits);
  timeline.hits = hits;
  timeline.draw();
}

function stepBy(count) {
  let at = page.current;
  for (let k = 0; k < Math.abs(count); ++k) at = list.neighbour(at, Math.sign(count));
  if (at !== page.current) select(at);
}

function toggleModule() {
  const step = run.steps[page.current];
  toggleFold(foldedAround(step) || step.group);
}

const last = () => run.steps.length - 1;
const keys = {
  ArrowRight: () => stepBy(1), ArrowDown: () => stepBy(1), j: () => stepBy(1), PageDown: () => stepBy(10),
  ArrowLeft: () => stepBy(-1), ArrowUp: () => stepBy(-1), k: () => stepBy(-1), PageUp: () => stepBy(-10),
  Home: () => go(0), End: () => go(last()),
  "]": () => go(list.neighbourGroup(page.current, 1)), "[": () => go(list.neighbourGroup(page.current, -1)),
  m: toggleModule, n: () => search.next(1, page.current), N: () => search.next(-1, page.current),
};
const keysOfThePage = {
  "/": () => { search.box.focus(); search.box.select(); }, "?": () => byId("help").showModal(),
  c: () => viewer.toggleCotangent(), t: () => viewer.toggleTiles(), 1: () => viewer.setView("heat"), 2: () => viewer.setView("histogram"),
  3: () => viewer.setView("numbers"),
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const isArrow = event.key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(event.key);
  if (isArrow && event.target.matches("input[type=range], .numbers, pre")) return;  // they move there
  const action = keysOfThePage[event.key] || (run.steps.length > 0 ? keys[event.key] : undefined);
  if (action === undefined) return;
  event.preventDefault();
  action();
}

/** The step that the address names, the first if none. */
function stepOfHash() {
  const number = Number(location.hash.slice(1));
  return Number.isInteger(number) && number >= 0 && number < run.steps.length ? number : 0;
}

function fillTotals() {
  const count = (phase) => run.steps.filter((step) => step.phase === phase).length;
  const counts = phases.filter((phase) => count(phase) > 0)
    .map((phase) => make("span", { class: "phase " + phase }, count(phase) + " " + phase));
  byId("totals").replaceChildren(make("b", {}, countText(run.steps.length, "step")), ...counts,
    make("span", {}, secondsText(run.seconds)), make("span", {}, flopsText(run.flops)), make("span", {}, bytesText(run.bytes) + " made"));
}

function addMark(id, text, place) {
  if (place === null) return;
  const where = run.steps[place.step].outputs.some((output) => output.value === place.value) ? "made by" : "read by";
  byId("marks").append(make("button", { type: "button", id, class: "bad",
    title: run.values[place.value].name + " is " + where + " step " + place.step,
    onclick: () => { go(place.step); look(place.value); } }, text + " from step " + place.step));
}

function fillOutside() {
  const most = 400;
  const box = byId("outside").querySelector("div");
  const part = (title, values) => {
    if (values.length === 0) return;
    const chips = values.slice(0, most).map((value) => stepPane.chip(value));
    if (values.length > most) chips.push("and " + (values.length - most) + " more");
    box.append(make("h3", {}, title), make("div", { class: "chips" }, ...chips));
  };
  part("Inputs", run.inputs.map((number) => run.values[number]));
  part("State", run.values.filter((value) => value.source === "state"));
  part("Next state", run.state.filter((state) => state.after !== undefined && state.after !== state.before)
                        .map((state) => run.values[state.after]));
  part("Constants", run.values.filter((value) => value.source === "constant"));
  part("Results", run.results.map((result) => run.values[result.value]));
}

function start() {
  fillTotals();
  addMark("first-nan", "NaN", firstWhere(run, hasNan));
  addMark("first-infinity", "∞", firstWhere(run, hasInfinity));
  byId("first").onclick = () => go(0);
  byId("previous").onclick = () => stepBy(-1);
  byId("next").onclick = () => stepBy(1);
  byId("last").onclick = () => go(last());
  byId("help-button").onclick = () => byId("help").showModal();
  byId("outside").addEventListener("toggle", fillOutside, { once: true });
  document.addEventListener("keydown", pressed);
  addEventListener("hashchange", () => { if (run.steps.length > 0 && stepOfHash() !== page.current) go(stepOfHash()); });
  if (run.steps.length > 0) {
    go(stepOfHash());
  } else {
    document.body.dataset.step = "none";
    page.lookedAt = run.results.length > 0 ? run.results[0].value : null;
    drawSoon();
  }
}

start();
