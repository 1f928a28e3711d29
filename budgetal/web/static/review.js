// The review page: automatic labels by the page, accepted or corrected by keyboard and mouse, nothing lost.

import { get, imageUrl } from "./api.js";
import { Grid } from "./grid.js";
import { keymap } from "./keymap.js";
import { Classes } from "./review-classes.js";
import { listen } from "./review-hands.js";
import { ReviewBox } from "./reviewbox.js";
import { count, percent } from "./words.js";

const PROJECT = document.body.dataset.project;
const N = matchMedia("(max-width: 760px)").matches ? 12 : 30;

const $ = (id) => document.getElementById(id);

class Page {
  constructor(info) {
    this.noneOfThese = info.none_of_these;
    this.me = info.annotator;
    this.keys = keymap(info.classes);
    this.said = new Map();
    this.page = null;
    this.grid = new Grid($("grid"), { describe: (item) => this.describe(item), onChoose: () => this.showChosen() });
    this.box = new ReviewBox(PROJECT, {
      onProgress: (progress) => this.showProgress(progress),
      onRefused: (ids, problem) => this.refused(ids, problem),
      onLine: (problem) => this.showLine(problem),
    });
    this.classes = new Classes(info.classes, this.keys, (name) => this.correct(name));
    listen(this);
    this.showClasses();
    this.load();
  }

  // -- pages ---------------------------------------------------------------------------------

  async load({ after = -1, before = null } = {}) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const page = await get(`/review?${this.query(after, before)}`);
      if (turn !== this.turn) return;
      this.line(null);
      if (this.page && this.page.look !== page.look) this.toast("The automatic labels were computed afresh: this is the new list.");
      this.showPage(page, { after, before });
    } catch (problem) {
      if (turn !== this.turn) return;
      if (problem.passes) return this.again(problem, { after, before });
      this.notice("Nothing to review", problem.message);
    }
  }

  again(problem, where) {
    this.line(problem);
    setTimeout(() => this.load(where), 2000);
  }

  query(after, before) {
    // On the way back one sees what one has just said.
    const show = before !== null && $("show").value === "waiting" ? "all" : $("show").value;
    const wanted = { order: $("order").value, show, after, n: N };
    if ($("label").value) wanted.label = $("label").value;
    if (before !== null) wanted.before = before;
    return new URLSearchParams(wanted);
  }

  showPage(page, { before }) {
    this.page = page;
    this.hasMore = before !== null || page.has_more;
    this.said.clear();
    this.grid.show(page.items);
    this.showProgress(page.progress);
    $("next").disabled = !page.items.length || !this.hasMore;
    $("previous").disabled = page.items.length ? page.items[0].position === 0 : !page.progress.n;
    if (page.items.length) $("notice").hidden = true;
    else this.notice(...this.nothingHere(page));
    if (document.activeElement === document.body) $("grid").focus({ preventScroll: true });
    this.fetchAhead();
  }

  nothingHere(page) {
    if ($("show").value === "waiting") return ["All checked", `${count(page.progress.n_reviewed)} of ${count(page.progress.n)} automatic labels are reviewed.`];
    return ["Nothing here", "No automatic label is in this state."];
  }

  async fetchAhead() {
    if (!this.hasMore || !this.page.items.length) return;
    const ahead = await get(`/review?${this.query(this.page.items.at(-1).position, null)}`).catch(() => null);
    this.ahead = ahead?.items.map((item) => Object.assign(new Image(), { src: imageUrl(item.sample_id, "small") }));
  }

  next() {
    const last = this.page?.items.at(-1);
    if (last && this.hasMore) this.load({ after: last.position });
    else if (last && $("show").value === "waiting") this.load({ after: last.position });
  }

  previous() {
    const first = this.page?.items[0];
    this.load({ before: first ? first.position : Number.MAX_SAFE_INTEGER });
  }

  // -- answers -------------------------------------------------------------------------------

  say(items, labelOf) {
    const reviews = items.map((item) => ({ sample_id: item.sample_id, label: labelOf(item) }));
    if (!reviews.length) return;
    for (const one of reviews) this.said.set(one.sample_id, one.label);
    this.box.review(reviews);
    this.grid.redraw();
  }

  accept() {
    this.say(this.grid.chosen, (item) => item.automatic);
    this.grid.forward((item) => this.waits(item));
  }

  correct(label) {
    this.say(this.grid.chosen, () => label);
    this.grid.forward((item) => this.waits(item));
  }

  acceptAll() {
    this.say(this.grid.items.filter((item) => this.waits(item)), (item) => item.automatic);
    this.next();
  }

  takeBack() {
    const mine = this.grid.chosen.filter((item) => this.isMine(item));
    if (!mine.length) return;
    for (const item of mine) this.said.set(item.sample_id, null);
    this.box.takeBack(mine.map((item) => item.sample_id));
    this.grid.redraw();
    this.showChosen();
  }

  isMine(item) {
    return this.said.has(item.sample_id) ? this.said.get(item.sample_id) !== null : item.review?.annotator === this.me;
  }

  wordOn(item) {
    if (!this.said.has(item.sample_id)) return item.review?.label ?? null;
    const mine = this.said.get(item.sample_id);
    return mine ?? (item.review && item.review.annotator !== this.me ? item.review.label : null);
  }

  waits(item) {
    return this.wordOn(item) === null;
  }

  refused(ids, problem) {
    for (const id of ids) this.said.delete(id);
    this.grid.redraw();
    this.toast(`Not recorded: ${problem.message}`);
  }

  // -- what is shown -------------------------------------------------------------------------

  describe(item) {
    const word = this.wordOn(item);
    const state = item.is_disputed ? "disputed" : word === null ? "waiting" : word === item.automatic ? "accepted" : "corrected";
    const title = this.words(word ?? item.automatic);
    const doubt = item.support === null ? `${percent(item.score)} sure` : `neighbours ${item.nearest && item.nearest !== item.automatic ? `say ${item.nearest}` : "agree"}, ${percent(item.support, 0)}`;
    const under = state === "corrected" ? `was ${item.automatic}` : doubt;
    return { title, under, state, spoken: `${title}, ${state === "waiting" ? "automatic" : state}, ${under}` };
  }

  words(label) {
    return label === this.noneOfThese ? "none of these" : label;
  }

  showChosen() {
    const item = this.grid.current;
    this.classes.disable(!item);
    for (const id of ["none", "accept", "accept-all"]) $(id).disabled = !item;
    $("undo").disabled = !item || !this.grid.chosen.some((one) => this.isMine(one));
    $("closer").hidden = !item;
    if (!item) return;
    const n = this.grid.chosen.length;
    const { title, under } = this.describe(item);
    $("caption").textContent = n > 1 ? `${n} chosen; last: ${title}` : `${title}: ${under}`;
    this.classes.mark(item.automatic);
    if ($("large").dataset.sample === item.sample_id) return;
    $("large").dataset.sample = item.sample_id;
    $("large").src = imageUrl(item.sample_id);
  }

  showProgress({ n, n_reviewed, remaining }) {
    $("progress").textContent = `${count(n_reviewed)} of ${count(n)} reviewed`;
    $("promise").textContent = !remaining ? "" : remaining.is_refuted
      ? `${count(remaining.n_corrected)} corrected, more than the certificate allows: do not rely on it`
      : `${count(remaining.n_corrected)} corrected; of the other ${count(remaining.n_certified - remaining.n_reviewed)} at most ${count(remaining.most_wrong)} are wrong (${percent(remaining.upper_bound_unreviewed)})`;
    $("promise").classList.toggle("line", Boolean(remaining?.is_refuted));
  }

  async showClasses() {
    const counts = await get("/review/classes").catch(() => []);
    for (const { label, n } of counts) $("label").append(new Option(`${label} (${count(n)})`, label));
  }

  notice(title, text) {
    if (!this.page?.items.length) this.grid.show([]);
    $("notice-title").textContent = title;
    $("notice-text").textContent = text;
    $("notice").hidden = false;
  }

  showLine(problem) {
    this.line(problem);
    if (!problem) this.showChosen();
  }

  line(problem) {
    const held = this.box?.size ? `; ${count(this.box.size)} of your answers are kept here` : "";
    $("line").textContent = !problem ? "" : `${problem.status === 401 ? "Signed out: open a new link" : "The server cannot be reached"}${held}`;
  }

  toast(text) {
    $("toast").textContent = text;
    $("toast").hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => ($("toast").hidden = true), 7000);
  }
}

async function start() {
  try {
    new Page(await get("/project"));
  } catch (problem) {
    $("line").textContent = problem.message;
    setTimeout(start, 2000);
  }
}

start();
