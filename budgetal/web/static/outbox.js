// Answers on their way: kept in the browser until the server says that they are on disk, sent in order, sent again
// when the line drops. Each has a key, so sending it twice records it once.

import { Problem, post } from "./api.js";

const PATHS = { label: "/labels", skip: "/skips", undo: "/undos" };
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 8000;

export class Outbox {
  // onChange(): something was added or sent; onRefused(entry, problem): the server does not take it, ever.
  // owner: project and person; another person's answers in this browser wait until that person is back.
  constructor(owner, { onChange, onRefused, onStanding }) {
    this.prefix = `${owner}/out/`;
    Object.assign(this, { onChange, onRefused, onStanding });
    this.problem = null;
    this.pauseMs = FIRST_PAUSE_MS;
    this.sending = null;
    this.isRunning = false;
    window.addEventListener("online", () => this.run());
    this.run();
  }

  // more: what else the request says, such as {label, suggestion} or {broken: true}.
  add(kind, client, item, more = {}) {
    const number = Number(localStorage.getItem(`${this.prefix}#`) ?? 0) + 1;
    localStorage.setItem(`${this.prefix}#`, String(number));
    const key = crypto.randomUUID();
    // Times order the entries of several pages; the number those of one millisecond.
    const name = `${this.prefix}${String(this.now()).padStart(15, "0")}-${String(number).padStart(9, "0")}-${key}`;
    const entry = { kind, client, sample_id: item.sample_id, token: item.token, more, key };
    localStorage.setItem(name, JSON.stringify(entry));
    this.onChange();
    this.run();
  }

  // Take back an answer that has not left yet; false when it is on its way or was never here.
  withdraw(client, sampleId) {
    const mine = ([name, entry]) => entry.client === client && entry.sample_id === sampleId && name !== this.sending;
    const found = this.entries().filter(mine).at(-1);
    if (!found || found[1].kind === "undo") return false;
    localStorage.removeItem(found[0]);
    this.onChange();
    return true;
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

  // Images whose answers the server does not know yet.
  ids() {
    return new Set(this.entries().map(([, entry]) => entry.sample_id));
  }

  get size() {
    return this.entries().length;
  }

  // Whose answers wait here until they sign in again.
  get others() {
    const [project, annotator] = this.prefix.split("/");
    const names = Object.keys(localStorage).map((name) => name.split("/"));
    const waiting = names.filter(([of, , kind, number]) => of === project && kind === "out" && number !== "#");
    return [...new Set(waiting.map(([, name]) => name))].filter((name) => name !== annotator);
  }

  // One page of a person sends at a time, so that what belongs together stays in order; in its pauses another page may.
  async run() {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      while (!(await (navigator.locks?.request(`${this.prefix}lock`, () => this.sendAll()) ?? this.sendAll()))) {
        await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
        this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
      }
    } finally {
      this.isRunning = false;
    }
  }

  // False when something is left that has to be sent again later.
  async sendAll() {
    for (let first = this.entries()[0]; first; first = this.entries()[0]) if (!(await this.send(...first))) return false;
    // Another page of this person may have sent what failed here.
    if (this.problem) this.cleared();
    return true;
  }

  async send(name, entry) {
    const { kind, client, sample_id, token, more, key } = entry;
    const body = { client, sample_id, token, ...more, ...(kind === "label" ? { key } : {}) };
    this.sending = name;
    try {
      const reply = await post(PATHS[kind], body);
      this.arrived(name);
      this.onStanding(reply.standing);
      return true;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.passes || problem.status === 401) return this.failed(problem);
      this.arrived(name);
      this.onRefused(entry, problem);
      return true;
    } finally {
      this.sending = null;
    }
  }

  arrived(name) {
    localStorage.removeItem(name);
    this.cleared();
  }

  cleared() {
    this.problem = null;
    this.pauseMs = FIRST_PAUSE_MS;
    this.onChange();
  }

  failed(problem) {
    this.problem = problem;
    this.onChange();
    return false;
  }
}
