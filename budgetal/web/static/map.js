// The map page: every image as a point, near those that the model sees as alike.

import { follow, get, imageUrl } from "./api.js";
import { PAINTERS, palette } from "./map_colours.js";
import { AUTOMATIC, BY_PEOPLE, NONE_LABEL, NO_LABEL, UNTOLD, fetchInfo, fetchMarks, fetchPoints } from "./map_data.js";
import { Hands } from "./map_hands.js";
import { Legend, entries, fillTable, sentence, tally } from "./map_legend.js";
import { Search } from "./map_search.js";
import { MapView } from "./map_view.js";
import { percent } from "./words.js";

const $ = (id) => document.getElementById(id);
const ASKED_EVERY_MS = 4000;
const MARKED_EVERY_MS = 1500;
const REACH_PX = 14;
const DWELL_MS = 90;
const MARKED_ANEW = new Set(["labelled", "undone", "skipped", "asked", "auto_labelled", "configured"]);
const dark = matchMedia("(prefers-color-scheme: dark)");

class Page {
  constructor(classes) {
    this.classes = classes;
    this.info = null;
    this.marks = null;
    this.spot = null;
    this.legend = new Legend({ list: $("legend"), find: $("find"), field: $("find-class") }, () => this.paint());
    this.startView();
    $("by").addEventListener("change", () => this.chooseColours());
    dark.addEventListener("change", () => this.paint());
    document.addEventListener("visibilitychange", () => !document.hidden && this.refresh());
  }

  startView() {
    try {
      this.view = new MapView($("map"));
    } catch (problem) {
      this.view = null;
      this.whyNoView = `${problem.message}, so the map is not drawn. Its numbers are in the table.`;
      document.querySelector(".numbers").open = true;
      return;
    }
    this.view.onLook = () => this.showSpot();
    this.hands = new Hands(this.view, { onPoint: (px, py) => this.point(px, py), onLeave: () => this.leave(), onPick: () => this.pick() });
    $("nearer").addEventListener("click", () => this.view.zoom(1.6));
    $("farther").addEventListener("click", () => this.view.zoom(1 / 1.6));
    $("whole").addEventListener("click", () => this.view.fit());
  }

  get by() {
    return document.querySelector("input[name=by]:checked").value;
  }

  // Which map there is; a newer one is fetched, and its points move to their new places.
  async refresh() {
    const info = await fetchInfo();
    $("by-uncertainty").hidden = !info.sees_all;
    if (info.name && info.name !== this.info?.name) await this.load(info);
    this.info = info;
    this.showState();
  }

  async load(info) {
    const [{ places, idOf }, marks] = await Promise.all([fetchPoints(info), fetchMarks(info)]);
    const isFirst = !this.search;
    Object.assign(this, { info, idOf, marks, places, search: new Search(places) });
    this.leave();
    if (this.view) {
      $("map").hidden = $("zooms").hidden = false;
      this.view.place(places);
      if (isFirst) this.view.fit();
    }
    this.paint();
  }

  async remark() {
    if (!this.info?.name) return;
    this.marks = await fetchMarks(this.info);
    this.paint();
  }

  chooseColours() {
    this.legend.clear();
    this.paint();
  }

  paint() {
    if (!this.marks) return;
    const colours = palette(dark.matches);
    const counts = tally(this.marks);
    this.legend.show(entries(this.by, this.classes, colours, counts), { withColours: this.by !== "uncertainty" });
    $("ramp").hidden = this.by !== "uncertainty";
    $("summary").textContent = sentence(this.info, counts);
    fillTable($("table"), this.classes, counts, this.info);
    if (this.view) this.paintPoints(PAINTERS[this.by](colours));
  }

  paintPoints(painter) {
    const { labels, provenance, uncertainty } = this.marks;
    const n = labels.length;
    const looks = new Uint8Array(4 * n);
    const layers = [[], [], []];
    for (let i = 0; i < n; i++) {
      if (!this.isShown(i)) continue;
      const [colour, size] = painter(labels, provenance, uncertainty, i);
      looks.set([colour[0], colour[1], colour[2], size], 4 * i);
      layers[provenance[i] === BY_PEOPLE ? 2 : provenance[i] === AUTOMATIC ? 1 : 0].push(i);
    }
    this.view.paint(looks, Uint32Array.from(layers.flat()));
  }

  isShown(i) {
    const key = this.by === "label" ? this.marks.labels[i] : this.marks.provenance[i];
    return !this.legend.hidden.has(key);
  }

  point(px, py) {
    const { x, y } = this.view.toMap(px, py);
    const found = this.search?.nearest(x, y, REACH_PX / this.view.camera.unit, (i) => this.isShown(i)) ?? null;
    if (found === this.spot) return;
    this.spot = found;
    this.showSpot();
    clearTimeout(this.dwell);
    if (found !== null) this.dwell = setTimeout(() => this.showImage(), DWELL_MS);
  }

  // The image nearest to the middle, for those without a pointer.
  pick() {
    const { camera } = this.view;
    const found = this.search?.nearest(camera.x, camera.y, 1e4 / camera.unit, (i) => this.isShown(i)) ?? null;
    if (found === null) return;
    this.spot = found;
    this.showSpot();
    this.showImage();
    $("said").textContent = this.words(found).join(", ");
  }

  leave() {
    clearTimeout(this.dwell);
    this.spot = null;
    this.showSpot();
  }

  showSpot() {
    $("spot").hidden = $("ring").hidden = this.spot === null;
    if (this.spot === null) return;
    const { px, py } = this.view.toScreen(this.places[2 * this.spot], this.places[2 * this.spot + 1]);
    put($("ring"), px, py);
    const card = $("spot");
    const sheet = $("map");
    const [w, h] = [card.offsetWidth, card.offsetHeight];
    const left = px + 18 + w > sheet.clientWidth ? px - 18 - w : px + 18;
    put(card, Math.max(6, Math.min(left, sheet.clientWidth - w - 6)), Math.max(6, Math.min(py - h / 3, sheet.clientHeight - h - 6)));
    card.hidden = $("spot-image").dataset.of !== String(this.spot);
  }

  showImage() {
    const i = this.spot;
    const image = $("spot-image");
    image.onload = () => {
      image.classList.toggle("sharp", image.naturalWidth <= 96);
      image.dataset.of = String(i);
      this.showSpot();
    };
    const [label, ...more] = this.words(i);
    image.alt = label;
    image.src = imageUrl(this.idOf(i), "small");
    $("spot-text").replaceChildren(made("b", label), ...more.map((line) => made("span", `${line}. `)));
  }

  words(i) {
    const { labels, provenance, uncertainty } = this.marks;
    const label = labels[i] === NO_LABEL ? "No label" : labels[i] === NONE_LABEL ? "None of these" : this.classes[labels[i]];
    const giver = { [BY_PEOPLE]: this.info.sees_all ? "By people" : "By you", [AUTOMATIC]: "By the model" }[provenance[i]] ?? "Not labelled";
    const doubt = uncertainty[i] === UNTOLD ? [] : [`Uncertainty ${percent(uncertainty[i] / (UNTOLD - 1), 0)}`];
    return [label, giver, ...doubt];
  }

  showState() {
    const { info } = this;
    const step = info.drawing;
    const hasMap = info.name !== null;
    const share = step ? step.done / step.total : null;
    const being = step ? `is being drawn: ${percent(share, 0)}` : info.can_be_drawn ? "will be drawn as soon as the learner has a moment" : "";
    $("notice").hidden = hasMap && this.view !== null;
    $("notice-text").textContent = !hasMap ? firstWords(info, being) : this.whyNoView ?? "";
    $("notice-meter").hidden = hasMap || share === null;
    $("notice-bar").style.width = `${100 * (share ?? 0)}%`;
    const newer = info.is_draft ? `The map ${being}.` : `From round ${info.round}. A newer map ${being}.`;
    $("fresh").textContent = hasMap && !info.is_newest && being ? newer : "";
  }
}

function firstWords(info, being) {
  if (info.is_off) return "Maps are switched off: set map = \"auto\" in budgetal.toml.";
  return being ? `The map ${being}.` : "The map begins when the first model has seen every image.";
}

function put(element, x, y) {
  element.style.left = `${x}px`;
  element.style.top = `${y}px`;
}

function made(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}

// At most once in a while, however often it is called.
function seldom(action, everyMs) {
  let waiting = null;
  return () => {
    waiting ??= setTimeout(() => {
      waiting = null;
      action().catch(() => {});
    }, everyMs);
  };
}

async function start() {
  try {
    const [project, standing] = await Promise.all([get("/project"), get("/status")]);
    const page = new Page(project.classes);
    await page.refresh();
    const remark = seldom(() => page.remark(), MARKED_EVERY_MS);
    follow(standing.seq, {
      onEvent: (event) => MARKED_ANEW.has(event.kind) && remark(),
      onLine: (isUp) => ($("line").textContent = isUp ? "" : "The server cannot be reached; trying again"),
    });
    setInterval(() => !document.hidden && page.refresh().catch(() => {}), ASKED_EVERY_MS);
  } catch (problem) {
    $("notice-text").textContent = problem.message;
    setTimeout(start, 2000);
  }
}

start();
