// The annotate page: one image or a grid of look-alikes, a key for each class, nothing lost.

import { Classes, whatChanged } from "./annotate-classes.js";
import { $, bold, element, sharpen } from "./annotate-elements.js";
import { Figures } from "./annotate-figures.js";
import { BROKEN, Grid, SKIPPED } from "./annotate-grid.js";
import { Keys } from "./annotate-keys.js";
import { Single } from "./annotate-single.js";
import { swipes } from "./annotate-swipe.js";
import { Why } from "./annotate-why.js";
import { annotator, follow, get, imageUrl } from "./api.js";
import { Hand } from "./hand.js";
import { Keymap, keyName } from "./keymap.js";
import { Outbox } from "./outbox.js";
import { count, isWaiting, learnerWords } from "./words.js";

const STRIP = 8;
const REMEMBERED = 1000;
const NAME_WITHIN_MS = 1500;
const AGAIN_MS = 2000;
const AFTER_WHICH_TO_ASK = ["asked", "undone", "configured", "paused", "resumed", "stopped", "finished"];

const HISTORY = `history of ${annotator}`;
let client;
const stored = (name, otherwise) => JSON.parse(localStorage.getItem(name) ?? JSON.stringify(otherwise));

class Page {
  constructor(info) {
    this.owner = `${document.body.dataset.project}/${info.annotator}`;
    this.noneOfThese = info.none_of_these;
    this.keymap = new Keymap(info.classes, stored(`${this.owner}/keys`, {}));
    this.wishes = { grid: 0, size: 9, help: false, ...stored(`${this.owner}/wishes`, {}) };
    this.history = JSON.parse(sessionStorage.getItem(HISTORY) ?? "[]");
    this.learner = undefined;
    this.problem = null;
    this.suggested = new Map();
    this.classes = new Classes({ list: $("classes"), finder: $("finder"), field: $("find") }, info.classes, this.keymap, (name) => this.label(name));
    this.keys = new Keys(this.keymap, info.classes, () => this.keysChanged());
    this.single = new Single();
    this.grid = new Grid((answer) => this.words(answer));
    this.why = new Why((id, guess) => guess && this.suggested.set(id, guess.label));
    this.figures = new Figures(() => this.history);
    this.outbox = new Outbox(this.owner, {
      onChange: () => this.showLine(),
      onRefused: (entry, problem) => this.refused(entry, problem),
      onStanding: (standing) => this.figures.show(standing),
    });
    this.hand = new Hand(client, {
      idsOnTheirWay: () => this.outbox.ids(),
      isAnswered: (id, since) => this.outbox.ids().has(id) || this.history.some((one) => one.sample_id === id && one.at >= since),
      wishes: () => this.wishes,
      onChange: () => this.show(),
      onProblem: (problem) => { this.problem = problem; this.showLine(); },
      onStanding: (standing) => this.figures.show(standing),
    });
    this.grid.onMove = (tile) => this.atTile(tile);
    this.listen();
    this.showKeys();
    this.showWishes();
    this.showStrip();
    this.hand.fill(true).then(() => this.followJournal());
  }

  // -- answers -------------------------------------------------------------------------------

  label(name) {
    this.answer({ kind: "label", label: name });
  }

  // Answer the image that is shown, or the one under the cursor of a grid.
  answer(answer) {
    const item = this.hand.current;
    if (!item) return;
    this.flash(answer);
    if (this.grid.isShown) return this.grid.set(answer);
    this.send(item, answer, null);
    this.hand.takeScreen();
    this.show();
  }

  // Accept the grid as it stands, or the guess that is shown with one image.
  accept() {
    if (!this.grid.isShown) {
      const guess = this.guessShown(this.hand.current);
      return guess && this.label(guess.label);
    }
    const batch = Date.now();
    for (const { item, answer } of this.grid.answers) this.send(item, answer, batch);
    this.grid.hide();
    this.hand.takeScreen();
    this.show();
  }

  send(item, answer, batch) {
    const { kind, label } = answer;
    const suggestion = this.suggestionFor(item);
    const more = kind === "label" ? { label, ...(suggestion ? { suggestion } : {}) } : kind === "broken" ? { broken: true } : {};
    this.outbox.add(kind === "label" ? "label" : "skip", client, item, more);
    const { sample_id, token, guess } = item;
    this.remember({ sample_id, token, guess, answer, batch, at: batch ?? Date.now() });
    this.before = null;
  }

  // The model's guess that the person has seen with an image.
  suggestionFor(item) {
    const isShown = this.grid.isShown || this.guessShown(item);
    return (isShown ? item.guess?.label : null) ?? this.suggested.get(item.sample_id) ?? null;
  }

  guessShown(item) {
    return this.wishes.help && item?.guess && !item.screen ? item.guess : null;
  }

  // Take an answer back: the last one, a whole grid if it was accepted as one, or the one that was clicked.
  undo(at = this.history.length - 1) {
    const last = this.history[at];
    if (!last) return;
    const isWhole = last.batch !== null && at === this.history.length - 1;
    const taken = isWhole ? this.history.filter((entry) => entry.batch === last.batch) : [last];
    this.history = this.history.filter((entry) => !taken.includes(entry));
    for (const entry of taken) if (!this.outbox.withdraw(client, entry.sample_id)) this.outbox.add("undo", client, entry);
    this.before = isWhole ? null : last;
    this.saveHistory();
    this.hand.putBack(taken.map(({ sample_id, token, guess, answer }) => ({ sample_id, token, guess, answer })), isWhole);
    this.show();
  }

  refused(entry, problem) {
    this.history = this.history.filter((one) => one.sample_id !== entry.sample_id);
    this.saveHistory();
    this.hand.drop(entry.sample_id);
    this.toast(`Not recorded${entry.more?.label ? ` (${this.words(entry.more)})` : ""}: ${problem.message}`);
    this.show();
  }

  remember(entry) {
    this.history = [...this.history, entry].slice(-REMEMBERED);
    this.saveHistory();
  }

  saveHistory() {
    sessionStorage.setItem(HISTORY, JSON.stringify(this.history));
    this.showStrip();
  }

  // -- what is shown -------------------------------------------------------------------------

  show() {
    const item = this.hand.current;
    this.classes.disable(!item);
    for (const id of ["none", "skip", "broken", "zoom", "why-button"]) $(id).disabled = !item;
    $("accept").hidden = !(this.hand.isGrid || this.guessShown(item));
    $("notice").hidden = Boolean(item);
    if (!item) return this.showNotice();
    this.hand.isGrid ? this.showGrid() : this.showSingle(item);
    this.showKeys();
  }

  showGrid() {
    this.single.hide();
    this.grid.show(this.hand.screen);
  }

  showSingle(item) {
    this.grid.hide();
    this.single.show(item, this.hand.pictures.get(item.sample_id), this.guessShown(item));
    this.classes.mark("before", this.before?.sample_id === item.sample_id ? this.before.answer.label : null);
    if (this.why.isOpen && this.why.for !== item.sample_id) this.why.close();
  }

  atTile(tile) {
    this.classes.mark("before", tile.answer.label);
    if (this.why.isOpen && this.why.for !== tile.item.sample_id) this.why.close();
  }

  showNotice() {
    this.single.hide();
    this.grid.hide();
    this.why.close();
    $("notice").classList.toggle("still", this.hand.ended || Boolean(this.figures.standing?.paused));
    const [title, text] = this.noticeWords();
    $("notice-title").textContent = title;
    $("notice-text").textContent = text;
  }

  noticeWords() {
    const standing = this.figures.standing;
    if (this.problem?.status === 401) return ["Signed out", "Sign in again; answers that you gave are kept in this browser."];
    if (this.problem) return ["Waiting for the server", "Answers that you gave are kept in this browser."];
    if (this.hand.ended) return ["All done", `This run has ended: ${standing?.stop_reason}. Thank you.`];
    if (standing?.paused) return ["Paused", "An owner has paused this project. When it goes on, so does this page."];
    if (standing?.n_open && isWaiting(this.learner)) return ["One moment", "Every open image is in somebody's hands."];
    return ["Choosing your next images", learnerWords(this.learner)];
  }

  showLine() {
    const { size, problem } = this.outbox;
    const held = size ? `; ${count(size)} answer${size > 1 ? "s are" : " is"} kept here` : "";
    const trouble = problem ?? this.problem;
    if (trouble?.status === 401) return this.showSignedOut(held);
    const waiting = this.outbox.others.map((name) => `Answers of ${name} are kept here until they sign in again`);
    if (this.figures.standing?.paused) waiting.unshift("This project is paused: the images that you have are still taken, and no new ones come");
    $("line").textContent = trouble ? `The server cannot be reached${held}` : waiting.join("; ");
  }

  showSignedOut(held) {
    const again = element("a", { href: "/login" }, "Sign in again");
    $("line").replaceChildren("Signed out. ", again, held);
  }

  showStrip() {
    const last = this.history.at(-1);
    $("last").replaceChildren();
    if (last) bold($("last"), this.words(last.answer), last.answer.kind === "label" ? " was your last answer" : "");
    const recent = this.history.slice(-STRIP).reverse();
    $("strip").replaceChildren(...recent.map((entry, i) => this.stripEntry(entry, this.history.length - 1 - i)));
  }

  stripEntry(entry, at) {
    const button = element("button", { type: "button", title: "Take this answer back" });
    const image = element("img", { src: imageUrl(entry.sample_id, "small"), alt: "", width: 48, height: 48 });
    image.addEventListener("load", () => sharpen(image));
    button.append(image, element("span", {}, this.words(entry.answer)));
    button.setAttribute("aria-label", `Take back: ${this.words(entry.answer)}`);
    button.addEventListener("click", () => this.undo(at));
    const item = element("li");
    item.append(button);
    return item;
  }

  words({ kind, label }) {
    if (kind === "broken") return "broken image";
    return label === this.noneOfThese ? "none of these" : (label ?? "skipped");
  }

  toast(text) {
    $("toast").textContent = text;
    $("toast").hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => ($("toast").hidden = true), 7000);
  }

  flash({ kind, label }) {
    const button = kind === "label" ? (this.classes.buttons.get(label) ?? $("none")) : $(kind);
    button.classList.add("pressed");
    setTimeout(() => button.classList.remove("pressed"), 130);
  }

  // -- wishes --------------------------------------------------------------------------------

  wish(changes) {
    Object.assign(this.wishes, changes);
    localStorage.setItem(`${this.owner}/wishes`, JSON.stringify(this.wishes));
    this.showWishes();
    if ("grid" in changes) return this.hand.startOver();
    this.hand.fill(true);
    this.show();
  }

  showWishes() {
    $("as-one").setAttribute("aria-pressed", String(!this.wishes.grid));
    $("as-grid").setAttribute("aria-pressed", String(Boolean(this.wishes.grid)));
    $("as-guess").setAttribute("aria-pressed", String(this.wishes.help));
    $("size").value = String(this.wishes.size);
    $("size-choice").hidden = !this.wishes.grid;
    $("as-guess").hidden = Boolean(this.wishes.grid);
  }

  keysChanged() {
    localStorage.setItem(`${this.owner}/keys`, JSON.stringify(this.keymap.changes));
    this.classes.make(this.keymap);
    this.showKeys();
    this.show();
  }

  showKeys() {
    // In a grid the arrows move.
    const isUsable = (key) => !this.grid.isShown || !key.startsWith("Arrow");
    for (const place of document.querySelectorAll("kbd[data-command]")) {
      const keys = this.keymap.keysOf[place.dataset.command];
      place.textContent = keyName(keys.find(isUsable) ?? keys[0]);
    }
  }

  // -- keys, buttons, news -------------------------------------------------------------------

  listen() {
    const buttons = { undo: "undo", none: "none", skip: "skip", broken: "broken", accept: "accept", help: "help", zoom: "zoom", "why-button": "why", "as-guess": "guess" };
    for (const [id, command] of Object.entries(buttons)) $(id).addEventListener("click", () => this.do(command));
    $("as-one").addEventListener("click", () => this.wishes.grid && this.do("grid"));
    $("as-grid").addEventListener("click", () => this.wishes.grid || this.do("grid"));
    $("size").addEventListener("change", () => this.wish({ size: Number($("size").value), grid: Number($("size").value) }));
    $("why-close").addEventListener("click", () => this.why.close());
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hand.fill(true));
    window.addEventListener("pagehide", () => this.hand.letGo());
    swipes($("picture"), { onLeft: () => this.do("skip"), onRight: () => this.do("undo"), isOff: () => this.single.zoom.level > 0 || this.grid.isShown });
  }

  do(command) {
    const commands = {
      accept: () => this.accept(),
      undo: () => this.undo(),
      skip: () => this.answer(SKIPPED),
      none: () => this.label(this.noneOfThese),
      broken: () => this.answer(BROKEN),
      zoom: () => this.hand.current && (this.grid.isShown ? this.grid.enlarge() : this.single.zoom.next()),
      why: () => this.showWhy(),
      guess: () => this.wish({ help: !this.wishes.help }),
      grid: () => this.wish({ grid: this.wishes.grid ? 0 : this.wishes.size }),
      find: () => this.classes.focusFinder(),
      help: () => this.keys.open(),
    };
    commands[command]();
  }

  showWhy() {
    const item = this.grid.isShown ? this.grid.tiles[this.grid.at].item : this.hand.current;
    if (!item || this.why.isOpen) return this.why.close();
    this.why.open(item.sample_id);
  }

  key(event) {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement || this.keys.isOpen;
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") return this.why.close();
    if (this.grid.isShown && event.key.startsWith("Arrow")) return this.pressed(event, () => this.grid.arrow(event.key), true);
    const { command, label } = this.keymap.meaning(event.key) ?? {};
    // A focused button is pressed by space and enter as everywhere, but an image of a grid is only pointed at.
    const isOnButton = event.target instanceof HTMLButtonElement && !event.target.classList.contains("tile");
    if ((!command && !label) || (isOnButton && [" ", "Enter"].includes(event.key))) return;
    this.pressed(event, () => (command ? this.do(command) : this.label(label)), false);
  }

  // A key that is held down would label images that nobody has seen; a cursor may run.
  pressed(event, act, mayRepeat) {
    event.preventDefault();
    if (!event.repeat || mayRepeat) act();
  }

  followJournal() {
    follow(this.figures.standing?.seq ?? 0, {
      onEvent: (event) => this.news(event),
      onLearner: (learner) => { this.learner = learner; if (!this.hand.current) this.showNotice(); },
      onLine: (isUp) => isUp && this.hand.fill(true),
    });
  }

  news({ kind }) {
    if (AFTER_WHICH_TO_ASK.includes(kind)) this.hand.fill(true);
    if (kind === "classes_changed") this.readClasses();
  }

  // The same page goes on with other buttons. An answer on its way under an old name is taken as the new one.
  async readClasses() {
    try {
      const { classes } = await get("/project");
      const before = this.classes.names;
      if (String(classes) === String(before)) return;
      this.setClasses(classes);
      this.toast(whatChanged(before, classes));
    } catch (problem) {
      if (problem.status !== 401) setTimeout(() => this.readClasses(), AGAIN_MS);
    }
  }

  setClasses(names) {
    this.keymap = new Keymap(names, this.keymap.changes);
    this.keys.setClasses(this.keymap, names);
    this.classes.setNames(names, this.keymap);
    this.show();
  }
}

// A page's name on its leases. It outlives a reload; a copy of a tab, which brings the name along, gets one of its own.
async function takeName() {
  const wanted = (sessionStorage.client ??= crypto.randomUUID());
  if (await isHeldHere(wanted)) return wanted;
  sessionStorage.removeItem(HISTORY);
  sessionStorage.client = crypto.randomUUID();
  // Held too, or a copy of this tab would have the same name.
  await isHeldHere(sessionStorage.client);
  return sessionStorage.client;
}

function isHeldHere(name) {
  if (!navigator.locks) return Promise.resolve(true);
  const held = (answer) => {
    answer(true);
    return new Promise(() => {});
  };
  // On a reload the page before lets go within moments.
  const signal = AbortSignal.timeout(NAME_WITHIN_MS);
  return new Promise((answer) => navigator.locks.request(`page/${name}`, { signal }, () => held(answer)).catch(() => answer(false)));
}

async function start() {
  try {
    client ??= await takeName();
    new Page(await get("/project"));
  } catch (problem) {
    if (problem.status === 401) return location.assign("/login");
    $("notice-title").textContent = problem.message;
    setTimeout(start, 2000);
  }
}

start();
