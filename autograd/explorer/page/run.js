// The run that the page shows: values, steps, and who made and reads what.

const phases = ["forward", "backward", "optimizer"];
const dtypeBytes = { bool: 1, uint8: 1, int32: 4, int64: 8, float32: 4, float64: 8 };
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);

function readRun() {
  const run = JSON.parse(document.getElementById("run").textContent);
  run.values.forEach((value, number) => prepareValue(value, number));
  run.steps.forEach((step, number) => prepareStep(run, step, number));
  run.values.forEach((value) => {
    if (value.cotangent !== undefined) run.values[value.cotangent].cotangentOf.push(value.number);
  });
  run.results.forEach((result) => { run.values[result.value].isResult = true; });
  run.seconds = run.steps.reduce((sum, step) => sum + step.seconds, 0);
  run.flops = run.steps.reduce((sum, step) => sum + step.flops, 0);
  run.bytes = run.steps.reduce((sum, step) => sum + step.bytes, 0);
  return run;
}

function prepareValue(value, number) {
  Object.assign(value, { number, maker: -1, users: [], cotangentOf: [] });
  value.numel = value.kept === undefined ? 0 : product(value.shape);
  value.bytes = value.numel * (dtypeBytes[value.dtype] || 0);
}

function prepareStep(run, step, number) {
  step.number = number;
  step.inputs.forEach((input) => {
    const users = run.values[input.value].users;
    if (users[users.length - 1] !== number) users.push(number);
  });
  step.outputs.forEach((output) => { run.values[output.value].maker = number; });
  step.bytes = step.outputs.reduce((sum, output) => sum + run.values[output.value].bytes, 0);
  step.text = stepText(run, step);
  const names = step.inputs.concat(step.outputs).map((operand) => run.values[operand.value].name);
  step.words = [step.operation, step.attributes, step.module, step.rule, step.phase, ...names].join(" ").toLowerCase();
}

/** An operand's name, with the shape behind it where it is seen in another one than it was made in. */
function operandText(run, operand) {
  const value = run.values[operand.value];
  return operand.shape === undefined ? value.name : value.name + shapeText(operand.shape);
}

/** The step as the program's text has it. */
function stepText(run, step) {
  const made = step.outputs.map((output) => {
    const value = run.values[output.value];
    return operandText(run, output) + ":" + value.dtype + shapeText(output.shape || value.shape);
  });
  const attributes = step.attributes === "" ? "" : "[" + step.attributes + "]";
  return (made.length === 0 ? "_" : made.join(", ")) + " = " + step.operation + attributes +
         "(" + step.inputs.map((input) => operandText(run, input)).join(", ") + ")";
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function typedElements(bytes, dtype) {
  const view = new DataView(bytes.buffer);
  const read = {
    bool: (i) => view.getUint8(i), uint8: (i) => view.getUint8(i), int32: (i) => view.getInt32(4 * i, true),
    int64: (i) => view.getBigInt64(8 * i, true), float32: (i) => view.getFloat32(4 * i, true),
    float64: (i) => view.getFloat64(8 * i, true),
  }[dtype];
  return Array.from({ length: bytes.length / dtypeBytes[dtype] }, (_, i) => read(i));
}

/**
 * The elements that the page has of a value, decoded when they are first asked for: the first `matrices` of its
 * matrices, the last two axes, and of each every rowStep-th row and columnStep-th column. Null if there are none.
 */
function keptOf(value) {
  if (value.kept === undefined) return null;
  if (value.decoded === undefined) {
    const shape = value.shape;
    const columns = shape.length > 0 ? shape[shape.length - 1] : 1;
    const rows = shape.length > 1 ? shape[shape.length - 2] : 1;
    const { matrices, row_step: rowStep, column_step: columnStep, elements } = value.kept;
    value.decoded = {
      elements: typedElements(bytesOf(elements), value.dtype), matrices, rowStep, columnStep,
      rows: Math.ceil(rows / rowStep), columns: Math.ceil(columns / columnStep), leading: shape.slice(0, -2),
    };
    value.decoded.isWhole = value.decoded.elements.length === value.numel;
  }
  return value.decoded;
}

const hasNan = (value) => value.stats !== undefined && value.stats.nan > 0;
const hasInfinity = (value) => value.stats !== undefined && value.stats.inf + value.stats.minus_inf > 0;

/** Where the run first meets a value that `is`: its step, or that which first reads it if it came from outside. */
function firstWhere(run, is) {
  for (const step of run.steps) {
    for (const operand of step.inputs.concat(step.outputs)) {
      if (is(run.values[operand.value])) return { step: step.number, value: operand.value };
    }
  }
  return null;
}
