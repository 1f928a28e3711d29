// A grid of images of which some are chosen: by arrows, by clicks, with shift several.

import { imageUrl } from "./api.js";

const SHARP_BELOW_PX = 96;

export class Grid {
  // describe(item): { text, marks } of a tile; onChoose(): others are chosen now.
  constructor(place, { describe, onChoose }) {
    Object.assign(this, { place, describe, onChoose });
    this.items = [];
    this.tiles = [];
    this.at = 0;
    this.anchor = 0;
    place.addEventListener("click", (event) => this.clicked(event));
  }

  show(items) {
    this.items = items;
    this.at = this.anchor = 0;
    this.tiles = items.map((item, i) => this.tile(item, i));
    this.place.replaceChildren(...this.tiles);
    this.place.hidden = !items.length;
    this.choose(0);
  }

  get chosen() {
    const [first, last] = [Math.min(this.at, this.anchor), Math.max(this.at, this.anchor)];
    return this.items.slice(first, last + 1);
  }

  get current() {
    return this.items[this.at] ?? null;
  }

  // extend: those between the first chosen one and this one are chosen too.
  choose(at, extend = false) {
    if (!this.items.length) return this.onChoose();
    this.at = Math.min(Math.max(0, at), this.items.length - 1);
    if (!extend) this.anchor = this.at;
    const chosen = new Set(this.chosen);
    this.items.forEach((item, i) => this.tiles[i].setAttribute("aria-selected", String(chosen.has(item))));
    this.tiles.forEach((tile, i) => tile.classList.toggle("current", i === this.at));
    this.place.setAttribute("aria-activedescendant", this.tiles[this.at].id);
    this.tiles[this.at].scrollIntoView({ block: "nearest" });
    this.onChoose();
  }

  // The next one that still waits, or the next one.
  forward(waits) {
    const after = this.items.findIndex((item, i) => i > Math.max(this.at, this.anchor) && waits(item));
    if (after >= 0) this.choose(after);
    else this.choose(Math.max(this.at, this.anchor));
  }

  move(key, extend) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.nColumns, ArrowDown: this.nColumns }[key];
    this.choose(this.at + step, extend);
  }

  get nColumns() {
    const top = this.tiles[0]?.offsetTop;
    const n = this.tiles.findIndex((tile) => tile.offsetTop !== top);
    return n < 0 ? Math.max(1, this.tiles.length) : n;
  }

  redraw() {
    this.items.forEach((item, i) => this.write(this.tiles[i], item));
  }

  tile(item, i) {
    const tile = document.createElement("li");
    tile.id = `tile-${i}`;
    tile.setAttribute("role", "option");
    tile.dataset.sample = item.sample_id;
    const image = Object.assign(document.createElement("img"), { src: imageUrl(item.sample_id, "small"), alt: "" });
    image.addEventListener("load", () => image.classList.toggle("sharp", image.naturalWidth < SHARP_BELOW_PX));
    tile.append(image, document.createElement("span"), document.createElement("small"));
    this.write(tile, item);
    return tile;
  }

  write(tile, item) {
    const { title, under, state, spoken } = this.describe(item);
    tile.className = state + (tile.classList.contains("current") ? " current" : "");
    tile.querySelector("span").textContent = title;
    tile.querySelector("small").textContent = under;
    tile.setAttribute("aria-label", spoken);
  }

  clicked(event) {
    const tile = event.target.closest("[role=option]");
    if (tile) this.choose(this.tiles.indexOf(tile), event.shiftKey);
  }
}
