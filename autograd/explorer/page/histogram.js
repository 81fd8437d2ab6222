// How many elements lie where, of all elements, kept or not.

const svgSpace = "http://www.w3.org/2000/svg";

function svg(tag, attributes, text) {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function bar(histogram, k, tallest) {
  const { low, high, counts } = histogram;
  const edge = (i) => low + (high - low) * (i / counts.length);
  const height = counts[k] === 0 ? 0 : Math.max(1, 100 * counts[k] / tallest);
  const side = edge(k + 1) <= 0 ? "negative" : edge(k) >= 0 ? "positive" : "around";
  const rect = svg("rect", { x: 10 * k + 0.5, y: 104 - height, width: 9, height, class: side });
  rect.append(svg("title", {}, shortText(edge(k)) + " to " + shortText(edge(k + 1)) + ": " + countText(counts[k], "element")));
  return rect;
}

function histogramOf(value) {
  const histogram = value.histogram;
  if (histogram === undefined) {
    return make("p", { class: "note" }, value.numel === 0 ? "There are no elements." : "A histogram needs two finite elements.");
  }
  const { low, high, counts } = histogram;
  const tallest = Math.max(...counts);
  const width = 10 * counts.length;
  const chart = svg("svg", { viewBox: "0 0 " + width + " 122", role: "img", class: "histogram",
                             "aria-label": "Histogram of " + value.name });
  counts.forEach((_, k) => chart.append(bar(histogram, k, tallest)));
  chart.append(svg("line", { x1: 0, x2: width, y1: 104.5, y2: 104.5 }));
  if (low < 0 && high > 0) {
    const zero = width * (-low / (high - low));
    chart.append(svg("line", { x1: zero, x2: zero, y1: 0, y2: 108, class: "zero" }));
    if (zero > 40 && zero < width - 40) chart.append(svg("text", { x: zero, y: 118, "text-anchor": "middle" }, "0"));
  }
  chart.append(svg("text", { x: 0, y: 118 }, shortText(low)), svg("text", { x: width, y: 118, "text-anchor": "end" }, shortText(high)));
  return make("div", {}, chart, make("p", { class: "note" }, "The tallest bar is " + countText(tallest, "element") +
    ", of " + countText(value.stats.finite, "that is finite", "that are finite") + "."));
}
