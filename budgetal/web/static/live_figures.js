// A chart with its legend and numbers, as the server drew it.

export function chart(figure, isOpen) {
  const made = element("figure", "card");
  made.append(element("h3", "", figure.heading), element("p", "note", figure.note));
  const keys = element("ul", "keys");
  for (const key of figure.keys) {
    const item = element("li");
    item.append(element("i", `key key-${key.mark}`), key.name);
    keys.append(item);
  }
  const drawing = new DOMParser().parseFromString(figure.svg, "text/html").body.firstElementChild;
  made.append(keys, drawing, numbers(figure, isOpen));
  return made;
}

function numbers(figure, isOpen) {
  const made = element("details");
  made.open = isOpen;
  made.dataset.heading = figure.heading;
  const summary = element("summary", "", "Numbers");
  summary.dataset.key = `numbers of ${figure.heading}`;
  summary.append(element("span", "unseen", ` of ${figure.heading}`));
  const scroll = element("div", "scroll");
  scroll.tabIndex = 0;
  scroll.dataset.key = `table of ${figure.heading}`;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", `Table: ${figure.columns.join(", ")}`);
  scroll.append(table(figure));
  made.append(summary, scroll);
  return made;
}

export function table({ columns, rows }) {
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  for (const column of columns) {
    const cell = element("th", "", column);
    cell.scope = "col";
    head.append(cell);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const cell of row) line.insertCell().textContent = cell;
  }
  return made;
}

// New contents for a place; whoever is on something there by keyboard stays on what has come in its stead.
export function redraw(place, made) {
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  place.replaceChildren(...made);
  if (key !== undefined) [...place.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus({ preventScroll: true });
}

export function element(tag, className = "", text = null) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  return made;
}
