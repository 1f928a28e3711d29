// The page that makes a project: choose a folder below a root, say the classes and the budget, wait until it opens.

import { get, post } from "./api.js";
import { count } from "./words.js";

const $ = (id) => document.getElementById(id);
const ASK_EVERY_MS = 500;

let roots = [];
let at = null;
let turn = 0;
let isTyped = false;
let most = 0;
let suggested = "";

async function open(root, names) {
  const mine = (turn += 1);
  $("found").textContent = "Counting images";
  $("make").disabled = true;
  try {
    const found = await post("/start/folder", { root, names });
    if (mine === turn) show(found);
  } catch (problem) {
    if (mine === turn) $("found").textContent = problem.message;
  }
}

function show(found) {
  at = found;
  const steps = [[found.root, []], ...found.names.map((name, i) => [name, found.names.slice(0, i + 1)])];
  const back = roots.length > 1 ? [crumb("Roots", showRoots)] : [];
  $("crumbs").replaceChildren(...back, ...steps.map(([name, names], i) => crumb(name, () => open(found.root, names), i === steps.length - 1)));
  $("folders").replaceChildren(...found.folders.map((name) => folder(name, () => open(found.root, [...found.names, name]))));
  const refused = found.n_refused ? `, ${count(found.n_refused)} files will be set aside` : "";
  const labelled = found.classes.length ? `; the folders label them: ${count(found.classes.length)} classes` : "";
  $("found").textContent = `${count(found.n_images)} images here and below${refused}${labelled}.`;
  if (!isTyped) $("classes").value = found.classes.join("\n");
  suggestBudget(found.n_images);
  $("given-line").hidden = !found.classes.length;
  if (!found.classes.length) $("given").checked = false;
  $("make").disabled = !found.n_images;
}

// The usual budget, or half of a small collection; what somebody typed stays.
function suggestBudget(n_images) {
  if ($("budget").value !== suggested) return;
  suggested = String(Math.min(most, Math.ceil(n_images / 2) || most));
  $("budget").value = suggested;
}

function showRoots() {
  at = null;
  turn += 1;
  $("crumbs").replaceChildren(crumb("Roots", showRoots, true));
  $("folders").replaceChildren(...roots.map((name) => folder(name, () => open(name, []))));
  $("found").textContent = "Choose where the images are.";
  $("make").disabled = true;
}

function crumb(name, act, isHere = false) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
  if (isHere) button.setAttribute("aria-current", "location");
  button.addEventListener("click", act);
  return button;
}

function folder(name, act) {
  const item = document.createElement("li");
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
  button.addEventListener("click", act);
  item.append(button);
  return item;
}

async function make(event) {
  event.preventDefault();
  if (!at) return;
  $("line").textContent = "";
  const [budget, percent] = [Number($("budget").value), Number($("tolerance").value.replace(",", "."))];
  if (!Number.isInteger(budget) || budget < 1) return complain("budget", "The budget is a whole number of labels, 1 or more");
  if (!(percent > 0 && percent < 100)) return complain("tolerance", "The accepted error is between 0 and 100 %");
  const classes = $("classes").value.split("\n");
  $("make").disabled = true;
  try {
    await post("/start", { root: at.root, names: at.names, classes, budget, tolerance: percent / 100, given_labels: $("given").checked });
    wait();
  } catch (problem) {
    failed(problem.message);
  }
}

function complain(id, text) {
  $("line").textContent = text;
  $(id).focus();
}

async function wait() {
  const now = await get("/start/progress").catch((problem) => problem);
  // The project's own server answers in its place once it is there.
  if (now.status === 404 || now.is_ready) return opened();
  if (now.problem) return failed(now.problem);
  if (now.doing) {
    $("doing").textContent = now.doing.charAt(0).toUpperCase() + now.doing.slice(1) + (now.total > 1 ? `, ${count(now.done)} of ${count(now.total)}` : "");
    $("work").hidden = !(now.total > 1);
    $("work-bar").style.width = `${(100 * now.done) / now.total}%`;
  }
  setTimeout(wait, ASK_EVERY_MS);
}

async function opened() {
  $("doing").textContent = "Opening the project";
  const standing = await get("/status").catch(() => null);
  if (standing) location.assign("/annotate");
  else setTimeout(opened, ASK_EVERY_MS);
}

function failed(text) {
  $("line").textContent = text;
  $("doing").textContent = "";
  $("work").hidden = true;
  $("make").disabled = !at?.n_images;
}

async function start() {
  try {
    const info = await get("/start");
    roots = info.roots;
    most = info.budget;
    suggested = String(most);
    $("budget").value = suggested;
    $("tolerance").value = 100 * info.tolerance;
    if (roots.length === 1) open(roots[0], []);
    else showRoots();
    const now = await get("/start/progress");
    if (now.doing !== "waiting for you" && !now.problem) wait();
  } catch (problem) {
    $("line").textContent = problem.message;
    setTimeout(start, 2000);
  }
}

$("classes").addEventListener("input", () => (isTyped = Boolean($("classes").value.trim())));
$("wish").addEventListener("submit", make);
start();
