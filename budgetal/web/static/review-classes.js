// The buttons of the classes on the review page, and the field that finds one among many.

const MANY = 12;

const $ = (id) => document.getElementById(id);

export class Classes {
  // keys: class names by key; onChoose(name): a class was chosen.
  constructor(names, keys, onChoose) {
    this.onChoose = onChoose;
    const keyOf = new Map([...keys].map(([key, name]) => [name, key]));
    this.buttons = new Map(names.map((name) => [name, this.button(name, keyOf.get(name))]));
    $("classes").replaceChildren(...this.buttons.values());
    $("classes").classList.toggle("many", names.length > MANY);
    $("finder").hidden = names.length <= MANY;
    $("find").addEventListener("input", () => this.find($("find").value));
    $("find").addEventListener("keydown", (event) => this.findKey(event));
  }

  button(name, key) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    if (key) {
      button.append(Object.assign(document.createElement("kbd"), { textContent: key.toUpperCase() }));
      button.setAttribute("aria-keyshortcuts", key);
    }
    button.append(Object.assign(document.createElement("span"), { textContent: name }));
    button.addEventListener("click", () => this.onChoose(name));
    return button;
  }

  disable(isOff) {
    for (const button of this.buttons.values()) button.disabled = isOff;
  }

  mark(automatic) {
    for (const [name, button] of this.buttons) button.classList.toggle("before", name === automatic);
  }

  focusFinder() {
    return !$("finder").hidden && $("find").focus();
  }

  find(text) {
    const wanted = text.trim().toLowerCase();
    for (const [name, button] of this.buttons) button.hidden = !name.toLowerCase().includes(wanted);
  }

  findKey(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    const first = [...this.buttons].find(([, button]) => !button.hidden);
    if (event.key === "Enter" && first && $("find").value.trim()) this.onChoose(first[0]);
    $("find").value = "";
    this.find("");
    $("grid").focus();
  }
}
