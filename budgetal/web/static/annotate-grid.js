// A grid of look-alikes, each with the model's guess: the wrong ones are put right, then all are accepted at once.

import { $, element, sharpen } from "./annotate-elements.js";
import { imageUrl } from "./api.js";

export const SKIPPED = { kind: "skip" };
export const BROKEN = { kind: "broken" };

export class Grid {
  // words(answer): what an answer is called.
  constructor(words) {
    this.words = words;
    this.tiles = [];
    this.at = 0;
    this.key = null;
  }

  get isShown() {
    return this.tiles.length > 0;
  }

  show(items) {
    const key = items.map((item) => item.sample_id).join();
    if (this.key === key) return;
    this.key = key;
    this.at = 0;
    // When one was refused, what was decided of the others stays.
    const decided = new Map(this.tiles.map((tile) => [tile.item.sample_id, tile.answer]));
    this.tiles = items.map((item) => ({ ...item, answer: decided.get(item.sample_id) ?? item.answer })).map((item, place) => this.tile(item, place, items.length));
    $("grid").replaceChildren(...this.tiles.map((tile) => tile.button));
    $("grid").style.setProperty("--columns", String(Math.ceil(Math.sqrt(items.length))));
    $("grid").hidden = false;
    this.enlarge(false);
    this.move(0);
  }

  hide() {
    if (!this.isShown) return;
    this.tiles = [];
    this.key = null;
    $("grid").hidden = true;
    $("grid").replaceChildren();
  }

  tile(item, place, n) {
    const button = element("button", { type: "button", className: "tile" });
    const image = element("img", { src: imageUrl(item.sample_id, "small"), alt: "" });
    image.addEventListener("load", () => sharpen(image));
    button.dataset.sample = item.sample_id;
    const caption = element("span", { className: "caption" });
    button.append(image, caption);
    button.addEventListener("click", () => this.move(place));
    const answer = item.answer ?? { kind: "label", label: item.guess?.label ?? null };
    const tile = { item, button, caption, answer, place, n };
    this.write(tile);
    return tile;
  }

  write(tile) {
    const { button, caption, answer, item, place, n } = tile;
    const isGuess = answer.kind === "label" && answer.label === item.guess?.label;
    caption.textContent = this.words(answer);
    button.classList.toggle("changed", !isGuess);
    button.setAttribute("aria-label", `Image ${place + 1} of ${n}: ${this.words(answer)}${isGuess ? ", the model's guess" : ""}`);
  }

  // Put the image under the cursor right, and go to the next.
  set(answer) {
    const tile = this.tiles[this.at];
    tile.answer = answer;
    this.write(tile);
    this.move(Math.min(this.at + 1, this.tiles.length - 1));
  }

  move(to) {
    this.at = to;
    this.tiles.forEach((tile, place) => tile.button.classList.toggle("at", place === to));
    this.tiles[to].button.focus({ preventScroll: false });
    this.onMove?.(this.tiles[to]);
  }

  arrow(key) {
    const columns = Math.ceil(Math.sqrt(this.tiles.length));
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
    const to = this.at + step;
    if (to >= 0 && to < this.tiles.length) this.move(to);
  }

  enlarge(isLarge = !$("grid").classList.contains("enlarged")) {
    $("grid").classList.toggle("enlarged", isLarge);
    for (const tile of this.tiles) {
      const image = tile.button.firstChild;
      if (isLarge && tile === this.tiles[this.at]) image.src = imageUrl(tile.item.sample_id);
    }
  }

  // What was decided of each, in order.
  get answers() {
    return this.tiles.map(({ item, answer }) => ({ item, answer }));
  }
}
