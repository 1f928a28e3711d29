// The live page: head line, charts and news, from the journal as it grows.

import { follow, get } from "./api.js";
import { chart, element, redraw } from "./live_figures.js";
import { Insights } from "./live_insights.js";
import { count, isWaiting, learnerWords, percent } from "./words.js";

const $ = (id) => document.getElementById(id);
const DRAWN_EVERY_MS = 700;
const SEEN_EVERY_MS = 400;
const NEWS = 8;
// So many events back: labels come by the hundred, and share one line.
const TOLD_AFRESH = 400;
const DRAWN_ANEW = new Set(["epoch_ended", "round_ended", "auto_labelled", "fitted", "finished", "configured"]);
const WORDS = {
  created: () => "The project was made",
  indexed: () => "The images were read",
  asked: () => "New images were chosen for people to label",
  labelled: (_event, n) => `${times(n, "label")} came in`,
  skipped: (_event, n) => `${times(n, "image was", "images were")} skipped`,
  undone: (_event, n) => `${times(n, "answer was", "answers were")} taken back`,
  epoch_ended: (event) => `Training, round ${event.round}: epoch ${event.epoch} ended`,
  fitted: (event) => `A model was trained (round ${event.round})`,
  predicted: () => "The model has predicted every image",
  auto_labelled: (event) => `${count(event.n)} automatic labels: ${count(event.n_added)} new, ${count(event.n_taken_back)} taken back`,
  round_ended: (event) => `Round ${event.round} ended: ${count(event.n_human)} labels, audit accuracy ${percent(event.audit_accuracy)}`,
  judged: () => "The strategy was compared with random choice",
  labels_shown: () => "Somebody began to check automatic labels",
  reviewed: (_event, n) => `${times(n, "automatic label was", "automatic labels were")} checked`,
  review_undone: (_event, n) => `${times(n, "check was", "checks were")} taken back`,
  configured: () => "Settings were changed",
  classes_changed: () => "The class list was changed",
  gold_given: () => "Images with a known label were taken, to test people with",
  paused: () => "The project was paused: no images are handed out, no model is trained",
  resumed: () => "The project goes on after the pause",
  stopped: (event) => `No more labels are asked for: ${event.reason}`,
  finished: () => "Finished: the final certificate was issued",
};

// Kinds that come by the hundred: one line for all of them since something else happened.
const COUNTED = new Set(["labelled", "skipped", "undone", "epoch_ended", "reviewed", "review_undone"]);
const counted = new Map();

let redrawing = null;
let counting = null;
let insights = null;
let seeing = null;

async function refresh() {
  const [standing, figures] = await Promise.all([get("/status"), get("/figures")]);
  showTiles(standing);
  showLearner(standing.learner);
  showCharts(figures);
  seeSoon(standing);
  return standing;
}

// Redraw soon, once for all events that come together.
function refreshSoon() {
  redrawing ??= setTimeout(() => {
    redrawing = null;
    refresh().catch(() => refreshSoon());
  }, DRAWN_EVERY_MS);
}

function countSoon() {
  counting ??= setTimeout(() => {
    counting = null;
    get("/status").then((standing) => (showTiles(standing), seeSoon(standing)), () => {});
  }, DRAWN_EVERY_MS);
}

// What takes the server longer, and changes with rounds and answers: seldom, and never in the way of the charts.
function seeSoon(standing) {
  seeing ??= setTimeout(() => {
    insights.refresh(standing).finally(() => (seeing = null));
  }, SEEN_EVERY_MS);
}

function showTiles(standing) {
  const certificate = standing.certificate;
  const tiles = [
    ["Labels by people", count(standing.n_human), `${count(standing.n_left)} of ${count(standing.budget)} left`],
    ["Automatic labels", count(standing.n_auto), certificate ? `from ${count(certificate.n_audit)} audit labels, ${count(certificate.errors)} wrong` : "none certified yet"],
    ["Covered", percent(standing.coverage), `of ${count(standing.n_samples)} images`],
    ["Certified error", certificate ? `≤ ${percent(certificate.upper_bound_of_all ?? certificate.upper_bound, 2)}` : "–", `accepted: ${percent(standing.tolerance)}${certificate?.upper_bound_of_all == null ? "" : " of all labels"}`],
    ["Audit accuracy", percent(standing.audit_accuracy), "of the newest model"],
    ["Rounds", count(standing.n_rounds), standing.finished ? `ended: ${standing.stop_reason}` : `strategy: ${standing.strategy}`],
  ];
  $("tiles").replaceChildren(...tiles.map(tile));
}

function tile([name, value, under]) {
  const made = document.createElement("div");
  made.append(element("dt", "", name), element("dd", "", value), element("dd", "under", under));
  return made;
}

function showLearner(learner) {
  $("doing").textContent = learnerWords(learner);
  $("lamp").className = `lamp ${learner ? (isWaiting(learner) ? "waiting" : "working") : ""}`;
  const share = learner && learner.total > 1 ? learner.done / learner.total : null;
  $("work").hidden = share === null;
  $("work-bar").style.width = `${100 * (share ?? 0)}%`;
}

function showCharts(figures) {
  const open = new Set([...document.querySelectorAll("#charts details[open]")].map((one) => one.dataset.heading));
  const drawn = figures.filter((figure) => figure.svg).map((figure) => chart(figure, open.has(figure.heading)));
  const none = element("p", "card lead", "The charts begin when the first model is trained.");
  redraw($("charts"), [...(drawn.length ? drawn : [none]), $("news")]);
}

const times = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

function tell(event) {
  // A page that is older than the server.
  if (!WORDS[event.kind]) return;
  if (!COUNTED.has(event.kind)) counted.clear();
  const before = counted.get(event.kind);
  before?.item.remove();
  const n = (before?.n ?? 0) + 1;
  const item = line(event, WORDS[event.kind](event, n));
  if (COUNTED.has(event.kind)) counted.set(event.kind, { n, item });
  $("feed").prepend(item);
  while ($("feed").children.length > NEWS) $("feed").lastChild.remove();
}

function line(event, words) {
  const item = document.createElement("li");
  const time = element("time", "", new Date(1000 * event.time_unix_s).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }));
  item.append(time, words);
  return item;
}

function onEvent(event) {
  tell(event);
  if (DRAWN_ANEW.has(event.kind)) refreshSoon();
  else countSoon();
}

async function start() {
  try {
    insights ??= new Insights({ isReviewer: (await get("/project")).role !== "annotator" });
    const standing = await refresh();
    follow(Math.max(0, standing.seq - TOLD_AFRESH), {
      onEvent,
      onLearner: showLearner,
      onLine: (isUp) => ($("line").textContent = isUp ? "" : "The server cannot be reached; trying again"),
    });
  } catch (problem) {
    $("line").textContent = problem.message;
    setTimeout(start, 2000);
  }
}

start();
