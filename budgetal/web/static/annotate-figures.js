// What is left of the budget, how fast this person goes, and what the next labels buy.

import { $, bold } from "./annotate-elements.js";
import { get } from "./api.js";
import { count, duration, percent } from "./words.js";

const PACE_OVER_MS = 5 * 60_000;

export class Figures {
  constructor(history) {
    this.history = history;
    this.standing = null;
    this.nRounds = -1;
  }

  show(standing) {
    if (this.standing && standing.seq < this.standing.seq) return;
    this.standing = standing;
    $("meter").setAttribute("aria-valuemax", standing.budget);
    $("meter").setAttribute("aria-valuenow", standing.n_paid);
    $("meter-bar").style.width = `${(100 * standing.n_paid) / standing.budget}%`;
    bold($("budget"), count(standing.n_left), ` of ${count(standing.budget)} labels left`);
    this.showPace();
    if (standing.n_rounds !== this.nRounds) this.lookAhead(standing.n_rounds);
  }

  showPace() {
    const since = Date.now() - PACE_OVER_MS;
    const recent = this.history().filter((entry) => entry.at > since);
    // Those of the first moment, perhaps a whole grid, took time that nobody measured.
    const later = recent.filter((entry) => entry.at > recent[0].at);
    if (later.length < 2) return $("pace").replaceChildren();
    const perMs = later.length / (recent.at(-1).at - recent[0].at);
    const left = this.standing ? ` · ${duration(this.standing.n_left / perMs / 1000)} to go` : "";
    bold($("pace"), `${Math.round(60_000 * perMs)}`, `/min${left}`);
  }

  async lookAhead(nRounds) {
    this.nRounds = nRounds;
    try {
      const { next, reason } = await get("/outlook");
      if (next) bold($("outlook"), `${count(next.n)} more`, ` → ${percent(next.accuracy)} right, ${percent(next.coverage, 0)} labelled`);
      else $("outlook").textContent = "";
      $("outlook").title = reason ?? "The forecast's middle; the live page and budgetal plan have its band.";
    } catch {
      $("outlook").textContent = "";
    }
  }
}
