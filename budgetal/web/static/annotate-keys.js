// The list of keys, in which each can be changed: press a button, then the key that is wanted.

import { $, element } from "./annotate-elements.js";
import { COMMANDS, keyName } from "./keymap.js";

export class Keys {
  // onChange(): keys were changed.
  constructor(keymap, names, onChange) {
    Object.assign(this, { keymap, names, onChange, waiting: null });
    $("keys").addEventListener("keydown", (event) => this.key(event));
    $("keys").addEventListener("close", () => this.wait(null));
    $("keys-reset").addEventListener("click", () => this.reset());
  }

  open() {
    this.write();
    $("keys").showModal();
  }

  setClasses(keymap, names) {
    Object.assign(this, { keymap, names });
    if (!this.isOpen) return;
    this.wait(null);
    this.write();
  }

  get isOpen() {
    return $("keys").open;
  }

  write(problem = "") {
    const commands = Object.entries(COMMANDS).map(([id, command]) => this.row("commands", id, this.keymap.keysOf[id], command.words));
    const classes = this.names.map((name) => this.row("classes", name, [this.keymap.keyOf.get(name)].filter(Boolean), name));
    $("keys-list").replaceChildren(...commands, ...classes);
    $("keys-problem").textContent = problem;
  }

  row(kind, name, keys, words) {
    const item = element("li");
    const button = element("button", { type: "button" });
    button.append(...(keys.length ? keys : ["–"]).map((key) => element("kbd", {}, keyName(key))));
    button.setAttribute("aria-label", `Change the key of ${COMMANDS[name] && kind === "commands" ? COMMANDS[name].name : name}, now ${keys.map(keyName).join(" or ") || "none"}`);
    button.addEventListener("click", () => this.wait({ kind, name, button }));
    item.append(button, element("span", {}, words));
    return item;
  }

  wait(wanted) {
    this.waiting?.button.classList.remove("waiting");
    this.waiting = wanted;
    if (!wanted) return;
    wanted.button.classList.add("waiting");
    wanted.button.replaceChildren(element("kbd", {}, "press a key"));
  }

  key(event) {
    if (!this.waiting || event.key === "Shift") return;
    event.preventDefault();
    event.stopPropagation();
    const { kind, name } = this.waiting;
    const problem = event.key === "Escape" ? "" : this.keymap.change(kind, name, event.key);
    this.wait(null);
    this.write(problem ?? "");
    if (problem === null) this.onChange();
  }

  reset() {
    this.keymap.changes = { classes: {}, commands: {} };
    this.keymap.assign();
    this.write();
    this.onChange();
  }
}
