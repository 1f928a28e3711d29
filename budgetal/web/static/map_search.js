// Which point is nearest to a place: a grid of cells, so that pointing at one of 50,000 takes no time.

const CELLS = 160;

export class Search {
  // places: (x, y) each.
  constructor(places) {
    this.places = places;
    this.n = places.length / 2;
    [this.left, this.low, this.step] = bounds(places);
    this.starts = new Uint32Array(CELLS * CELLS + 1);
    this.members = new Uint32Array(this.n);
    const cells = Uint32Array.from({ length: this.n }, (_, i) => this.cell(places[2 * i], places[2 * i + 1]));
    for (const cell of cells) this.starts[cell + 1] += 1;
    for (let i = 0; i < CELLS * CELLS; i++) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    cells.forEach((cell, i) => (this.members[next[cell]++] = i));
  }

  // The nearest point no further than `reach` for which isShown(i) holds, or null.
  nearest(x, y, reach, isShown) {
    let [best, least] = [null, reach * reach];
    const [c0, c1] = [this.column(x - reach), this.column(x + reach)];
    const [r0, r1] = [this.row(y - reach), this.row(y + reach)];
    for (let row = r0; row <= r1; row++) {
      for (let k = this.starts[row * CELLS + c0]; k < this.starts[row * CELLS + c1 + 1]; k++) {
        const i = this.members[k];
        const away = (this.places[2 * i] - x) ** 2 + (this.places[2 * i + 1] - y) ** 2;
        if (away <= least && isShown(i)) [best, least] = [i, away];
      }
    }
    return best;
  }

  cell(x, y) {
    return this.row(y) * CELLS + this.column(x);
  }

  column(x) {
    return clamp((x - this.left) / this.step);
  }

  row(y) {
    return clamp((y - this.low) / this.step);
  }
}

const clamp = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor(value)));

function bounds(places) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < places.length; i += 2) {
    left = Math.min(left, places[i]);
    right = Math.max(right, places[i]);
    low = Math.min(low, places[i + 1]);
    high = Math.max(high, places[i + 1]);
  }
  return [left, low, Math.max(1e-9, (1 + 1e-9) * Math.max(right - left, high - low)) / CELLS];
}
