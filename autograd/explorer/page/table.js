// Elements as numbers, all their digits.

const mostCells = 2000;  // that are put into the document at once

/** A table of the kept rows of a matrix, `from` on, and a button for more if there are. */
function numberTable(value, kept, matrix, leading) {
  const columns = value.shape.length === 1 ? Math.min(8, kept.columns) : kept.columns;
  const rows = columns === 0 ? 0 : Math.ceil(kept.rows * kept.columns / columns);
  const body = make("tbody");
  const table = make("table", {}, value.shape.length === 0 ? null : tableHead(value, kept, columns), body);
  const box = make("div", { class: "numbers", tabindex: "0", role: "region", "aria-label": "Numbers of " + value.name }, table);
  const rowsAtOnce = Math.max(1, Math.floor(mostCells / Math.max(1, columns)));
  let shown = 0;
  const more = make("button", { type: "button", onclick: () => addRows() }, "More rows");
  const addRows = () => {
    const end = Math.min(rows, shown + rowsAtOnce);
    for (; shown < end; ++shown) body.append(tableRow(value, kept, matrix, leading, columns, shown));
    if (shown === rows) more.remove();
  };
  box.append(more);
  addRows();
  return box;
}

function tableHead(value, kept, columns) {
  const head = make("tr", {}, make("th"));
  for (let c = 0; c < columns; ++c) head.append(make("th", { scope: "col" }, (value.shape.length === 1 ? "+" : "") + c * kept.columnStep));
  return make("thead", {}, head);
}

function tableRow(value, kept, matrix, leading, columns, row) {
  const count = kept.rows * kept.columns;
  const index = indexOf(value, kept, leading, row * columns);
  const label = value.shape.length === 0 ? "" : value.shape.length === 1 ? index[0] : index[index.length - 2];
  const line = make("tr", {}, make("th", { scope: "row" }, String(label)));
  for (let k = row * columns; k < Math.min(count, (row + 1) * columns); ++k) {
    const text = elementText(kept.elements[matrix * count + k], value.dtype);
    line.append(make("td", { class: text === "NaN" || text.endsWith("inf") ? "bad" : false }, text));
  }
  return line;
}
