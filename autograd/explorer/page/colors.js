// The colours of elements: one way for negative, another for positive ones, pale at zero.

function mix(a, b, share) {
  return a.map((x, k) => Math.round(x + (b[k] - x) * share));
}

function rgbOf(variable) {
  const hex = styleOf(variable).slice(1);
  return [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

/** 2 * 128 + 1 colours from the most negative to the most positive; made anew when the page turns dark or light. */
function makePalette() {
  const half = (pole, end) => {
    const colors = [];
    const zero = rgbOf("--zero"), middle = rgbOf(pole), far = rgbOf(end);
    for (let k = 0; k <= 128; ++k) colors.push(k < 80 ? mix(zero, middle, k / 80) : mix(middle, far, (k - 80) / 48));
    return colors;
  };
  const negative = half("--negative", "--negative-end"), positive = half("--positive", "--positive-end");
  return {
    scale: negative.slice(1).reverse().concat(positive), nan: rgbOf("--nan"), inf: rgbOf("--inf"),
    minusInf: rgbOf("--minus-inf"),
  };
}

/** The largest size of the finite elements; the scale goes from its negative to it. */
function rangeOf(value) {
  if (value.stats === undefined || value.stats.finite === 0) return 1;
  if (value.dtype === "bool") return 1;
  return Math.max(Math.abs(Number(value.stats.min)), Math.abs(Number(value.stats.max))) || 1;
}

function colorOf(palette, element, range) {
  const x = Number(element);
  if (Number.isNaN(x)) return palette.nan;
  if (x === Infinity) return palette.inf;
  if (x === -Infinity) return palette.minusInf;
  return palette.scale[128 + Math.round(128 * Math.max(-1, Math.min(1, x / range)))];
}
