// Numbers as text.

/** The shortest decimal text of a float32 that reads back as it. */
function float32Text(x) {
  for (let digits = 1; digits < 9; ++digits) {
    const number = Number(x.toPrecision(digits));
    if (Math.fround(number) === x) return String(number);
  }
  return String(Number(x.toPrecision(9)));
}

/** The exact text of an element as it lies in a typed array. */
function elementText(x, dtype) {
  if (dtype === "bool") return x ? "true" : "false";
  if (typeof x === "bigint") return String(x);
  if (Number.isNaN(x)) return "NaN";
  if (x === Infinity) return "inf";
  if (x === -Infinity) return "-inf";
  if (Object.is(x, -0)) return "-0";
  return dtype === "float32" ? float32Text(x) : String(x);
}

/** Four digits: for what is read at a glance. */
function shortText(x) {
  if (x === null || x === undefined) return "—";
  if (!Number.isFinite(x)) return elementText(x, "float64");
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e6) return String(x);
  return size >= 1e6 || size < 1e-3 ? x.toExponential(2).replace("e+", "e") : String(Number(x.toPrecision(4)));
}

function scaledText(x, units, base) {
  let unit = 0;
  while (unit + 1 < units.length && x >= base) {
    x /= base;
    ++unit;
  }
  return (x >= 100 || unit === 0 ? Math.round(x) : x.toPrecision(3)) + " " + units[unit];
}

const bytesText = (bytes) => scaledText(bytes, ["B", "kB", "MB", "GB", "TB"], 1000);
const flopsText = (flops) => scaledText(flops, ["flop", "kflop", "Mflop", "Gflop", "Tflop"], 1000);
const secondsText = (seconds) => seconds >= 1 ? seconds.toPrecision(3) + " s" : scaledText(seconds * 1e9, ["ns", "µs", "ms"], 1000);
const shapeText = (shape) => "[" + shape.join(", ") + "]";
const countText = (count, one, many = one + "s") => count.toLocaleString("en") + " " + (count === 1 ? one : many);
