// The annotate page: one image or a grid of look-alikes, a key for each class, nothing lost.

import { Classes, whatChanged } from "./annotate-classes.js";
import { $ } from "./annotate-elements.js";
import { Figures } from "./annotate-figures.js";
import { BROKEN, Grid, SKIPPED } from "./annotate-grid.js";
import { listen } from "./annotate-hands.js";
import { forgetHistory, History } from "./annotate-history.js";
import { Keys } from "./annotate-keys.js";
import { takeName } from "./annotate-name.js";
import { noticeWords, showLine } from "./annotate-notice.js";
import { Single } from "./annotate-single.js";
import { Why } from "./annotate-why.js";
import { keepWishes, readWishes, showWishes } from "./annotate-wishes.js";
import { follow, get } from "./api.js";
import { Hand } from "./hand.js";
import { Keymap, keyName } from "./keymap.js";
import { Outbox } from "./outbox.js";

const AGAIN_MS = 2000;
const AFTER_WHICH_TO_ASK = ["asked", "undone", "configured", "paused", "resumed", "stopped", "finished"];

let client;

class Page {
  constructor(info) {
    this.owner = `${document.body.dataset.project}/${info.annotator}`;
    this.noneOfThese = info.none_of_these;
    this.keymap = new Keymap(info.classes, JSON.parse(localStorage.getItem(`${this.owner}/keys`) ?? "{}"));
    this.wishes = readWishes(this.owner);
    this.history = new History((answer) => this.words(answer), (at) => this.undo(at));
    this.learner = undefined;
    this.problem = null;
    this.suggested = new Map();
    this.classes = new Classes({ list: $("classes"), finder: $("finder"), field: $("find") }, info.classes, this.keymap, (name) => this.label(name));
    this.keys = new Keys(this.keymap, info.classes, () => this.keysChanged());
    this.single = new Single();
    this.grid = new Grid((answer) => this.words(answer));
    this.why = new Why((id, guess) => guess && this.suggested.set(id, guess.label));
    this.figures = new Figures(() => this.history.entries);
    this.outbox = new Outbox(this.owner, {
      onChange: () => this.showLine(),
      onRefused: (entry, problem) => this.refused(entry, problem),
      onStanding: (standing) => this.figures.show(standing),
    });
    this.hand = new Hand(client, {
      idsOnTheirWay: () => this.outbox.ids(),
      isAnswered: (id, since) => this.outbox.ids().has(id) || this.history.isAnswered(id, since),
      wishes: () => this.wishes,
      onChange: () => this.show(),
      onProblem: (problem) => { this.problem = problem; this.showLine(); },
      onStanding: (standing) => this.figures.show(standing),
    });
    this.grid.onMove = (tile) => this.atTile(tile);
    listen(this);
    this.showKeys();
    showWishes(this.wishes);
    this.history.show();
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
    this.history.add({ sample_id, token, guess, answer, batch, at: batch ?? Date.now() });
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
  undo(at) {
    const found = this.history.take(at);
    if (!found) return;
    const { last, taken, isWhole } = found;
    for (const entry of taken) if (!this.outbox.withdraw(client, entry.sample_id)) this.outbox.add("undo", client, entry);
    this.before = isWhole ? null : last;
    this.history.save();
    this.hand.putBack(taken.map(({ sample_id, token, guess, answer }) => ({ sample_id, token, guess, answer })), isWhole);
    this.show();
  }

  refused(entry, problem) {
    this.history.drop(entry.sample_id);
    this.hand.drop(entry.sample_id);
    this.toast(`Not recorded${entry.more?.label ? ` (${this.words(entry.more)})` : ""}: ${problem.message}`);
    this.show();
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
    this.single.show(item, this.hand.pictures.get(item.sample_id), this.guessShown(item), this.wishes.help || Boolean(this.wishes.grid));
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
    const { problem, learner, hand, figures } = this;
    const [title, text] = noticeWords({ problem, learner, ended: hand.ended, standing: figures.standing });
    $("notice-title").textContent = title;
    $("notice-text").textContent = text;
  }

  showLine() {
    showLine(this.outbox, this.problem, this.figures.standing);
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
    keepWishes(this.owner, this.wishes);
    showWishes(this.wishes);
    if ("grid" in changes) return this.hand.startOver();
    this.hand.fill(true);
    this.show();
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

  // -- commands and news ---------------------------------------------------------------------

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

async function start() {
  try {
    client ??= await takeName(forgetHistory);
    new Page(await get("/project"));
  } catch (problem) {
    if (problem.status === 401) return location.assign("/login");
    $("notice-title").textContent = problem.message;
    setTimeout(start, 2000);
  }
}

start();
