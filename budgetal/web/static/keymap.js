// Which key stands for which class and which command. People may change both; two never share a key.

export const COMMANDS = {
  accept: { keys: ["Enter"], name: "Accept", words: "accept the grid, or the model's guess where it is shown" },
  undo: { keys: ["ArrowLeft", "Backspace"], name: "Undo", words: "take the last answer back, as often as you like" },
  skip: { keys: ["ArrowRight", " "], name: "Skip", words: "skip an image that nobody can label; it costs nothing" },
  none: { keys: ["n"], name: "None of these", words: "the image belongs to none of the classes" },
  broken: { keys: ["b"], name: "Broken image", words: "there is nothing to see; it costs nothing and gets no label" },
  zoom: { keys: ["z"], name: "Zoom", words: "zoom in, in again, and out; the pointer moves the view" },
  why: { keys: ["w"], name: "Why this image", words: "why this image was asked" },
  guess: { keys: ["m"], name: "Model's guess", words: "show or hide the model's guess" },
  grid: { keys: ["g"], name: "Grid", words: "one image, or a grid of images that look alike" },
  find: { keys: ["/"], name: "Find a class", words: "find a class by typing; ↵ takes the first" },
  help: { keys: ["?"], name: "Keys", words: "this list, where keys can be changed" },
};

const LETTERS = "1234567890qwertyuiopasdfghjklzxcvbnm";
const NAMES = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Backspace: "⌫", Enter: "↵", " ": "space" };
const MOVES = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Tab", "Escape"];

// A key as it is written on a button.
export const keyName = (key) => NAMES[key] ?? key.toUpperCase();

export class Keymap {
  // changes: {classes: {name: key}, commands: {id: key}}, what a person has changed.
  constructor(classes, changes = {}) {
    this.classes = classes;
    this.changes = { classes: { ...changes.classes }, commands: { ...changes.commands } };
    this.assign();
  }

  // Changed keys first, then those of commands; a class that is called like a key gets that key, the others by order.
  assign() {
    this.keysOf = Object.fromEntries(Object.entries(COMMANDS).map(([id, command]) => [id, this.changes.commands[id] ? [this.changes.commands[id]] : command.keys]));
    this.commandOf = new Map(Object.entries(this.keysOf).flatMap(([id, keys]) => keys.map((key) => [key, id])));
    this.classOf = new Map();
    const isFree = (key) => !this.commandOf.has(key) && !this.classOf.has(key);
    const give = (name, key) => key && isFree(key) && this.classOf.set(key, name);
    const waiting = this.classes.filter((name) => !give(name, this.changes.classes[name]));
    const rest = waiting.filter((name) => !give(name, LETTERS.includes(name.toLowerCase()) && name.length === 1 ? name.toLowerCase() : null));
    const free = [...LETTERS].filter(isFree);
    rest.slice(0, free.length).forEach((name, i) => this.classOf.set(free[i], name));
    this.keyOf = new Map([...this.classOf].map(([key, name]) => [name, key]));
  }

  // What a key does now: {command} or {label}, or null.
  meaning(key) {
    const lower = key.length === 1 ? key.toLowerCase() : key;
    if (this.commandOf.has(key) || this.commandOf.has(lower)) return { command: this.commandOf.get(key) ?? this.commandOf.get(lower) };
    return this.classOf.has(lower) ? { label: this.classOf.get(lower) } : null;
  }

  // Give a class or a command another key. Why it cannot be, in words, or null.
  change(kind, name, key) {
    const wanted = key.length === 1 ? key.toLowerCase() : key;
    const problem = this.problem(kind, name, wanted);
    if (problem) return problem;
    this.changes[kind][name] = wanted;
    this.assign();
    return null;
  }

  problem(kind, name, key) {
    if (MOVES.includes(key) || (key.length > 1 && !NAMES[key])) return `${keyName(key)} has its own meaning here. Choose a letter, a digit or a sign.`;
    const found = this.meaning(key);
    const owner = found?.label ?? (found ? COMMANDS[found.command].name : null);
    const isOwn = kind === "classes" ? found?.label === name : found?.command === name;
    return owner && !isOwn ? `${keyName(key)} is the key of “${owner}”. Give that another one first.` : null;
  }
}

// Map of key → class as it is before anybody changes it.
export const keymap = (classes) => new Keymap(classes).classOf;
