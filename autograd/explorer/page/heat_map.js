// A matrix as a picture, a cell an element; what the mouse is over is told below.

const longestVector = 64;  // that is drawn as one row
const tileGap = 4;         // pixels between matrices

/** How the elements of a matrix are laid out as cells: a long vector in rows. */
function gridOf(value, kept) {
  const isVector = value.shape.length < 2;
  if (!isVector || kept.columns <= longestVector) return { rows: kept.rows, columns: kept.columns };
  const columns = Math.min(longestVector, 8 * Math.ceil(Math.sqrt(kept.columns) / 8));
  return { rows: Math.ceil(kept.columns / columns), columns };
}

/** Where element `place` of a kept matrix lies in the whole tensor, as its index. */
function indexOf(value, kept, leading, place) {
  if (value.shape.length === 0) return [];
  const column = (place % kept.columns) * kept.columnStep;
  if (value.shape.length === 1) return [column];
  return [...leading, Math.floor(place / kept.columns) * kept.rowStep, column];
}

function cellSize(grid, width, height) {
  const largest = grid.rows * grid.columns === 1 ? 48 : 28;
  const size = Math.min(width / grid.columns, height / grid.rows, largest);
  return size >= 2 ? Math.floor(size) : Math.max(size, 1);
}

function paintCells(value, kept, matrix, grid, palette) {
  const image = new ImageData(grid.columns, grid.rows);
  const count = kept.rows * kept.columns;
  const range = rangeOf(value);
  for (let k = 0; k < count; ++k) {
    const color = colorOf(palette, kept.elements[matrix * count + k], range);
    image.data.set([color[0], color[1], color[2], 255], 4 * k);
  }
  const picture = document.createElement("canvas");
  picture.width = grid.columns;
  picture.height = grid.rows;
  picture.getContext("2d").putImageData(image, 0, 0);
  return picture;
}

function drawGaps(context, grid, size) {
  context.fillStyle = styleOf("--paper");
  for (let r = 1; r < grid.rows; ++r) context.fillRect(0, r * size - 0.5, grid.columns * size, 1);
  for (let c = 1; c < grid.columns; ++c) context.fillRect(c * size - 0.5, 0, 1, grid.rows * size);
}

function legendOf(value, palette) {
  const range = rangeOf(value);
  const stops = [0, 32, 80, 128, 176, 224, 256].map((k) => "rgb(" + palette.scale[k].join(",") + ") " + (k / 2.56) + "%");
  const swatch = (color, text) => make("span", { class: "swatch", style: "--of: rgb(" + color.join(",") + ")" }, text);
  const stats = value.stats;
  return make("div", { class: "legend" },
    make("span", {}, shortText(-range)),
    make("span", { class: "scale", style: "background: linear-gradient(to right, " + stops.join(", ") + ")" }),
    make("span", {}, shortText(range)),
    stats.nan > 0 ? swatch(palette.nan, "NaN") : null, stats.inf > 0 ? swatch(palette.inf, "inf") : null,
    stats.minus_inf > 0 ? swatch(palette.minusInf, "-inf") : null);
}

/** How many tiles stand beside each other so that they are largest, and how far apart their cells are. */
function arrange(count, grid, width, height) {
  let best = { across: 1, size: 0 };
  for (let across = 1; across <= count; ++across) {
    const down = Math.ceil(count / across);
    const size = cellSize(grid, (width - (across - 1) * tileGap) / across, (height - (down - 1) * tileGap) / down);
    if (size >= best.size) best = { across, size };
  }
  const { across, size } = best;
  return { across, size, down: Math.ceil(count / across), stepX: grid.columns * size + tileGap, stepY: grid.rows * size + tileGap };
}

/** What is at a point of the picture: which tile, and which of its elements; null between them. */
function elementAt(x, y, grid, at, count, elements) {
  const tileColumn = Math.floor(x / at.stepX), tileRow = Math.floor(y / at.stepY);
  const column = Math.floor((x - tileColumn * at.stepX) / at.size), row = Math.floor((y - tileRow * at.stepY) / at.size);
  const tile = tileRow * at.across + tileColumn, place = row * grid.columns + column;
  const isThere = x >= 0 && y >= 0 && tileColumn < at.across && tile < count && column < grid.columns && row < grid.rows;
  return isThere && place < elements ? { tile, place } : null;
}

/** The picture of kept matrices, of each its number and its place among the leading axes, beside each other. */
function heatMap(value, kept, tiles, palette, width, height) {
  const grid = gridOf(value, kept);
  const at = arrange(tiles.length, grid, width, height);
  const canvas = make("canvas", { role: "img", "aria-label": "Heat map of " + value.name });
  const context = prepareCanvas(canvas, at.across * at.stepX - tileGap, at.down * at.stepY - tileGap);
  tiles.forEach(({ matrix }, k) => {
    context.save();
    context.translate((k % at.across) * at.stepX, Math.floor(k / at.across) * at.stepY);
    context.drawImage(paintCells(value, kept, matrix, grid, palette), 0, 0, grid.columns * at.size, grid.rows * at.size);
    if (at.size >= 8) drawGaps(context, grid, at.size);
    context.restore();
  });
  const readout = make("output", { class: "readout" }, "\u00a0");
  const count = kept.rows * kept.columns;
  const tell = (event) => {
    const found = elementAt(event.offsetX, event.offsetY, grid, at, tiles.length, count);
    const tile = found === null ? null : tiles[found.tile];
    readout.textContent = tile === null ? "\u00a0" : shapeText(indexOf(value, kept, tile.leading, found.place)) + " = " +
                          elementText(kept.elements[tile.matrix * count + found.place], value.dtype);
  };
  canvas.addEventListener("pointermove", tell);
  canvas.addEventListener("pointerdown", tell);
  canvas.addEventListener("pointerleave", () => { readout.textContent = "\u00a0"; });
  return make("div", { class: "heat" }, make("div", { class: "picture" }, canvas), readout, legendOf(value, palette));
}
