// The buttons of the classes, and finding one of two hundred by typing.

import { element } from "./annotate-elements.js";
import { keyName } from "./keymap.js";

const MANY = 12;

export class Classes {
  // onChoose(name): a class was chosen, by its button or by typing.
  constructor({ list, finder, field }, names, keymap, onChoose) {
    Object.assign(this, { list, finder, field, names, onChoose });
    this.buttons = new Map();
    this.make(keymap);
    field.addEventListener("input", () => this.find(field.value));
    field.addEventListener("keydown", (event) => this.key(event));
  }

  make(keymap) {
    this.buttons = new Map(this.names.map((name) => [name, this.button(name, keymap.keyOf.get(name))]));
    this.list.replaceChildren(...this.buttons.values());
    this.list.classList.toggle("many", this.names.length > MANY);
    this.finder.hidden = this.names.length <= MANY;
  }

  // Another class list; what was typed to find one finds on.
  setNames(names, keymap) {
    this.names = names;
    this.make(keymap);
    this.find(this.field.value);
  }

  button(name, key) {
    const button = element("button", { type: "button" });
    if (key) {
      button.append(element("kbd", {}, keyName(key)));
      button.setAttribute("aria-keyshortcuts", key);
    }
    button.append(element("span", {}, name));
    button.addEventListener("click", () => this.onChoose(name));
    return button;
  }

  disable(isOff) {
    for (const button of this.buttons.values()) button.disabled = isOff;
  }

  mark(kind, label) {
    for (const [name, button] of this.buttons) button.classList.toggle(kind, name === label);
  }

  focusFinder() {
    if (!this.finder.hidden) this.field.focus();
  }

  // Names that begin with what was typed come first, then words that do, then any place.
  find(text) {
    const wanted = text.trim().toLowerCase();
    const places = new Map(this.names.map((name) => [name, fit(name.toLowerCase(), wanted)]));
    for (const [name, button] of this.buttons) {
      button.hidden = places.get(name) === null;
      button.style.order = wanted ? String(places.get(name) ?? 0) : "";
    }
    const found = this.names.filter((name) => places.get(name) !== null).sort((one, other) => places.get(one) - places.get(other));
    this.first = wanted ? (found[0] ?? null) : null;
    this.mark("first", this.first);
  }

  key(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    const chosen = event.key === "Enter" ? this.first : null;
    this.field.value = "";
    this.find("");
    this.field.blur();
    if (chosen) this.onChoose(chosen);
  }
}

function fit(name, wanted) {
  if (name.startsWith(wanted)) return 0;
  if (name.split(/[\s_/-]+/).some((word) => word.startsWith(wanted))) return 1;
  return name.includes(wanted) ? 2 : null;
}

// Another class list in words. Keys are given by order, so those of classes that stay may be others now.
export function whatChanged(before, after) {
  const [fresh, gone] = [after.filter((name) => !before.includes(name)), before.filter((name) => !after.includes(name))];
  const parts = [fresh.length ? `new: ${fresh.join(", ")}` : null, gone.length ? `gone: ${gone.join(", ")}` : null];
  return `The classes have changed (${parts.filter(Boolean).join("; ") || "their order"}). Look at their keys.`;
}
