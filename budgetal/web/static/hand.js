// The images in this page's hands: claimed ahead, fetched ahead, and held until they are answered.

import { imageUrl, post } from "./api.js";

const AHEAD = 5;
const SCREENS_AHEAD = 2;
const RENEW_MS = 20_000;
const AGAIN_MS = 2_000;

export class Hand {
  // idsOnTheirWay(): images whose answers the server does not know yet; isAnswered(id, since): one of these, or answered
  // since; wishes(): {grid: images of a grid or 0, help: whether the model's guesses are wanted}.
  constructor(client, { idsOnTheirWay, isAnswered, wishes, onChange, onProblem, onStanding }) {
    Object.assign(this, { client, idsOnTheirWay, isAnswered, wishes, onChange, onProblem, onStanding });
    this.items = [];
    this.ended = false;
    this.isFetching = false;
    this.isWanted = false;
    this.isLettingGo = false;
    this.pictures = new Map();
    this.nScreens = 0;
    setInterval(() => document.visibilityState === "visible" && this.fill(true), RENEW_MS);
  }

  get current() {
    return this.items[0] ?? null;
  }

  // What is before the person now: one image, or those of a grid.
  get screen() {
    const first = this.items[0];
    if (!first) return [];
    return first.screen ? this.items.filter((item) => item.screen === first.screen) : [first];
  }

  get isGrid() {
    return Boolean(this.items[0]?.screen);
  }

  takeScreen() {
    const taken = new Set(this.screen);
    this.items = this.items.filter((item) => !taken.has(item));
    this.fill();
  }

  // together: as the grid that they were.
  putBack(items, together = false) {
    const screen = together ? ++this.nScreens : null;
    this.items.unshift(...items.map((item) => ({ ...item, screen })));
    this.fetchAhead();
  }

  drop(sampleId) {
    this.items = this.items.filter((item) => item.sample_id !== sampleId);
    this.fill();
  }

  // Other wishes: what is in hand goes back first. A claim that overtook the release would be worth nothing.
  async startOver() {
    const gone = this.letGo();
    this.items = [];
    this.onChange();
    this.isLettingGo = true;
    await gone;
    this.isLettingGo = false;
    await this.fill(true);
  }

  get isLow() {
    const screens = new Set(this.items.map((item) => item.screen ?? item.sample_id));
    return this.wishes().grid ? screens.size < SCREENS_AHEAD : this.items.length < AHEAD;
  }

  // Ask for more when few are left; again: in any case, which renews the leases.
  async fill(again = false) {
    // Wishes may have changed since the request that is on its way: ask once more after it.
    if (this.isFetching) this.isWanted ||= again;
    if (this.isFetching || this.isLettingGo || (!again && !this.isLow)) return;
    this.isFetching = true;
    const before = this.items.length;
    try {
      await this.fetch();
      this.onProblem(null);
    } catch (problem) {
      this.onProblem(problem);
    } finally {
      this.isFetching = false;
    }
    if (!this.items.length && !this.ended) setTimeout(() => this.fill(), AGAIN_MS);
    this.onChange();
    const isWanted = this.isWanted;
    this.isWanted = false;
    if (isWanted) this.fill(true);
    else if (this.wishes().grid && this.isLow && this.items.length > before) this.fill();
  }

  async fetch() {
    // What is answered while the reply is on its way is still open in it.
    const began = Date.now();
    const onTheirWay = this.idsOnTheirWay();
    const asked = { ...this.wishes() };
    const reply = asked.grid ? await this.fetchGrid(asked.grid, onTheirWay) : await post("/claims", { client: this.client, n: AHEAD, help: asked.help });
    this.ended = reply.ended;
    this.onStanding(reply.standing);
    if (this.wishes().grid !== asked.grid) return;
    this.merge(reply, (id) => onTheirWay.has(id) || this.isAnswered(id, began));
  }

  fetchGrid(size, onTheirWay) {
    const besides = [...new Set([...this.items.map((item) => item.sample_id), ...onTheirWay])].slice(-256);
    return post("/grids", { client: this.client, n: this.isLow ? size : 0, besides });
  }

  merge({ items: handed, guesses, is_grid }, isAnswered) {
    const items = handed.map((item) => ({ ...item, guess: guesses[item.sample_id] ?? null }));
    const fresh = new Map(items.map((item) => [item.sample_id, item]));
    this.items = this.items.map((item) => (fresh.has(item.sample_id) ? { ...item, ...fresh.get(item.sample_id) } : item));
    const known = new Set(this.items.map((item) => item.sample_id));
    const screen = is_grid ? ++this.nScreens : null;
    const news = items.filter((item) => !known.has(item.sample_id) && !isAnswered(item.sample_id));
    this.items.push(...news.map((item) => ({ ...item, screen })));
    this.fetchAhead();
  }

  fetchAhead() {
    const wanted = new Map(this.items.map((item) => [item.sample_id, item.screen ? "small" : "large"]));
    for (const sampleId of this.pictures.keys()) if (!wanted.has(sampleId)) this.pictures.delete(sampleId);
    for (const [sampleId, size] of wanted) {
      if (this.pictures.has(sampleId)) continue;
      const picture = new Image();
      picture.src = imageUrl(sampleId, size);
      this.pictures.set(sampleId, picture);
    }
  }

  // On leaving, so that others need not wait for the leases to end.
  letGo() {
    const sample_ids = this.items.map((item) => item.sample_id).filter((id) => !this.idsOnTheirWay().has(id));
    if (!sample_ids.length) return Promise.resolve();
    return post("/releases", { client: this.client, sample_ids }, { keepalive: true }).catch(() => {});
  }
}
