// The legend, which also chooses what is shown, and the numbers behind the map as words and as a table.

import { css } from "./map_colours.js";
import { AUTOMATIC, BY_PEOPLE, NONE_LABEL, NO_LABEL, OPEN } from "./map_data.js";
import { count } from "./words.js";

const MANY = 14;
const GIVERS = [["Labelled by people", BY_PEOPLE, "people"], ["Labelled by the model", AUTOMATIC, "automatic"], ["Not labelled", OPEN, "open"]];

// How many points have each label and each giver: { labels: Map, givers: [open, people, model], of(label, giver) }
export function tally({ labels, provenance }) {
  const counts = new Map();
  const givers = [0, 0, 0];
  for (let i = 0; i < labels.length; i++) {
    const row = counts.get(labels[i]) ?? [0, 0, 0];
    row[provenance[i]] += 1;
    counts.set(labels[i], row);
    givers[provenance[i]] += 1;
  }
  return { givers, row: (label) => counts.get(label) ?? [0, 0, 0] };
}

// Entries of the legend: what to show and hide. key: the label or the giver that it stands for.
export function entries(by, classes, colours, counts) {
  if (by !== "label") return GIVERS.filter(([, giver]) => giver === OPEN || counts.givers[giver]).map(([name, giver, tint]) => ({ name, key: giver, colour: colours[tint], n: counts.givers[giver] }));
  const total = (label) => counts.row(label).reduce((sum, n) => sum + n, 0);
  const named = classes.map((name, target) => ({ name, key: target, colour: colours.ofClass(target), n: total(target) }));
  const none = { name: "None of these", key: NONE_LABEL, colour: colours.none, n: total(NONE_LABEL) };
  return [...named, ...(none.n ? [none] : []), { name: "No label", key: NO_LABEL, colour: colours.open, n: total(NO_LABEL) }];
}

export class Legend {
  constructor({ list, find, field }, onChange) {
    Object.assign(this, { list, find, field, onChange, hidden: new Set() });
    field.addEventListener("input", () => this.filter());
  }

  // withColours: false where colour says something else, and the entries only choose.
  show(found, { withColours }) {
    this.find.hidden = found.length <= MANY;
    const before = new Map([...this.list.children].map((item) => [item.dataset.key, item]));
    const items = found.map((entry) => this.item(entry, before.get(`${entry.key} ${entry.name}`), withColours));
    if (items.some((item, i) => this.list.children[i] !== item) || this.list.children.length !== items.length) this.list.replaceChildren(...items);
    this.filter();
  }

  item(entry, before, withColours) {
    const item = before ?? this.made(entry);
    item.querySelector(".n").textContent = count(entry.n);
    item.querySelector("input").checked = !this.hidden.has(entry.key);
    const swatch = item.querySelector(".swatch");
    swatch.replaceChildren();
    if (withColours) swatch.append(disc(css(entry.colour)));
    return item;
  }

  made({ name, key }) {
    const item = document.createElement("li");
    item.dataset.key = `${key} ${name}`;
    item.dataset.name = name.toLowerCase();
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox" });
    box.addEventListener("change", () => this.toggle(key, box.checked));
    label.append(box, span("swatch", ""), span("name", name), span("n", ""));
    label.title = `${name} (double-click: only this)`;
    label.addEventListener("dblclick", () => this.only(key));
    item.append(label);
    return item;
  }

  toggle(key, isShown) {
    this.hidden[isShown ? "delete" : "add"](key);
    this.onChange();
  }

  // This entry alone, or all again.
  only(key) {
    const keys = [...this.list.children].map((item) => Number(item.dataset.key.split(" ")[0]));
    const isAlone = keys.every((other) => (other === key) !== this.hidden.has(other));
    this.hidden = new Set(isAlone ? [] : keys.filter((other) => other !== key));
    this.onChange();
  }

  clear() {
    this.hidden.clear();
  }

  filter() {
    const wanted = this.find.hidden ? "" : this.field.value.trim().toLowerCase();
    for (const item of this.list.children) item.hidden = !item.dataset.name.includes(wanted);
  }
}

// What the map shows, in one sentence or two.
export function sentence(info, counts) {
  const [, people, automatic] = counts.givers;
  const all = info.n_points < info.n_samples ? `${count(info.n_points)} of ${count(info.n_samples)} images, drawn at random` : `All ${count(info.n_points)} images`;
  const mine = info.sees_all ? "labelled by people" : "labelled by you";
  return `${all}: ${count(people)} ${mine}${info.sees_all ? `, ${count(automatic)} by the model` : ""}. Near one another lie images that the model sees as alike.`;
}

export function fillTable(table, classes, counts, { sees_all }) {
  const columns = ["Class", sees_all ? "By people" : "By you", ...(sees_all ? ["By the model"] : [])];
  table.replaceChildren();
  const head = table.createTHead().insertRow();
  for (const column of columns) head.append(Object.assign(document.createElement("th"), { textContent: column, scope: "col" }));
  const body = table.createTBody();
  for (const [name, key] of [...classes.map((one, target) => [one, target]), ["None of these", NONE_LABEL]]) {
    const [, people, automatic] = counts.row(key);
    if (key === NONE_LABEL && !people) continue;
    const row = body.insertRow();
    for (const cell of [name, count(people), ...(sees_all ? [count(automatic)] : [])]) row.insertCell().textContent = cell;
  }
}

// SVG, because the content policy forbids style attributes in markup and inline styles in scripts are harder to find.
function disc(colour) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 12 12");
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  for (const [name, value] of Object.entries({ cx: 6, cy: 6, r: 6, fill: colour })) circle.setAttribute(name, value);
  drawing.append(circle);
  return drawing;
}

function span(className, text) {
  return Object.assign(document.createElement("span"), { className, textContent: text });
}
