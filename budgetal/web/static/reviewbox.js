// Reviews on their way: kept in the browser until the server says that they are on disk, sent in order and again when
// the line drops. Each has a key, so sending it twice records it once.

import { Problem, post } from "./api.js";

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 8000;

export class ReviewBox {
  // onProgress(progress): the server has it; onRefused(sampleIds, problem): it never will; onLine(problem or null).
  constructor(project, { onProgress, onRefused, onLine }) {
    this.prefix = `${project}/reviews/`;
    Object.assign(this, { onProgress, onRefused, onLine });
    this.pauseMs = FIRST_PAUSE_MS;
    this.isRunning = false;
    window.addEventListener("online", () => this.run());
    this.run();
  }

  review(reviews) {
    this.add("/reviews", { reviews, key: crypto.randomUUID() }, reviews.map((one) => one.sample_id));
  }

  takeBack(sampleIds) {
    this.add("/reviews/undos", { sample_ids: sampleIds }, sampleIds);
  }

  add(path, body, ids) {
    const number = Number(localStorage.getItem(`${this.prefix}#`) ?? 0) + 1;
    localStorage.setItem(`${this.prefix}#`, String(number));
    const name = `${this.prefix}${String(this.now()).padStart(15, "0")}-${String(number).padStart(9, "0")}`;
    localStorage.setItem(name, JSON.stringify({ path, body, ids }));
    this.run();
  }

  // A clock that was set back does not bring an answer before what it corrects.
  now() {
    const last = this.entries().at(-1)?.[0].slice(this.prefix.length).split("-")[0];
    return Math.max(Date.now(), Number(last ?? 0));
  }

  entries() {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(this.prefix) && !name.endsWith("#"));
    return names.sort().map((name) => [name, JSON.parse(localStorage.getItem(name))]);
  }

  get size() {
    return this.entries().length;
  }

  // One page at a time sends, so that what belongs together stays in order.
  async run() {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      await (navigator.locks?.request(`${this.prefix}lock`, () => this.sendAll()) ?? this.sendAll());
    } finally {
      this.isRunning = false;
    }
  }

  async sendAll() {
    for (let first = this.entries()[0]; first; first = this.entries()[0]) {
      if (await this.send(...first)) continue;
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
      this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
    }
  }

  async send(name, { path, body, ids }) {
    try {
      this.onProgress(await post(path, body));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.passes || problem.status === 401) {
        this.onLine(problem);
        return false;
      }
      this.onRefused(ids, problem);
    }
    localStorage.removeItem(name);
    this.pauseMs = FIRST_PAUSE_MS;
    this.onLine(null);
    return true;
  }
}
