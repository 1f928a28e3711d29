// The settings page: what an owner decides while the run goes on. Every change is an event with the owner's name.

import { follow, get, post } from "./api.js";
import { count } from "./words.js";

const $ = (id) => document.getElementById(id);
const GROUPS = ["Budget", "Asking", "Training", "Automatic labels"];
const ANEW = new Set(["configured", "classes_changed", "paused", "resumed", "stopped", "finished", "round_ended"]);

let noneOfThese = "";
let fields = new Map();
let shownClasses = "";

async function refresh() {
  const [standing, settings, classes] = await Promise.all([get("/status"), get("/settings"), get("/classes")]);
  showRun(standing);
  showClasses(classes);
  // What somebody is typing is not taken away by a change elsewhere.
  if (!changes().length) showSettings(settings);
  $("under-way").hidden = !settings.is_under_way;
  $("line").textContent = "";
  return standing;
}

// -- the run ---------------------------------------------------------------------------------

function showRun({ paused, stop_reason, finished, n_paid, budget, n_left }) {
  const ended = stop_reason !== null;
  const where = ended ? `${finished ? "Ended" : "Ending"}: ${stop_reason}` : paused ? "Paused" : "Running";
  $("standing").textContent = `${where}. ${count(n_paid)} of ${count(budget)} labels spent.`;
  $("pause").disabled = paused || ended;
  $("resume").disabled = !(paused || (ended && n_left > 0));
  $("stop").disabled = ended;
}

// -- classes ---------------------------------------------------------------------------------

function showClasses(classes) {
  const isTyping = $("classes").contains(document.activeElement) && document.activeElement.matches("input");
  // Rows that say the same stay: somebody may be about to press a button of one.
  if (isTyping || JSON.stringify(classes) === shownClasses) return;
  shownClasses = JSON.stringify(classes);
  const names = classes.map((one) => one.name).filter((name) => name !== noneOfThese);
  $("classes").replaceChildren(...classes.map((one) => classRow(one, names)));
}

function classRow({ name, n }, names) {
  const row = element("li");
  const number = element("span", "n", `${count(n)} ${n === 1 ? "label" : "labels"}`);
  if (name === noneOfThese) {
    row.append(element("em", "", name), number);
    return row;
  }
  const input = Object.assign(element("input"), { value: name, maxLength: 256, spellcheck: false, autocomplete: "off" });
  input.setAttribute("aria-label", `Name of class ${name}`);
  const change = Object.assign(element("button", "", "Rename"), { type: "button", disabled: true });
  input.addEventListener("input", () => (change.disabled = !input.value.trim() || input.value === name));
  input.addEventListener("keydown", (event) => event.key === "Enter" && !change.disabled && change.click());
  change.addEventListener("click", () => changeClasses("rename", [name, input.value.trim()]));
  row.append(input, number, change, mergeInto(name, names));
  return row;
}

function mergeInto(name, names) {
  const select = element("select");
  select.setAttribute("aria-label", `Merge ${name} into`);
  select.append(new Option("merge into …", ""), ...names.filter((other) => other !== name).map((other) => new Option(other, other)));
  select.disabled = names.length <= 2;
  select.addEventListener("change", async () => {
    const into = select.value;
    const sure = await ask(`Merge ${name} into ${into}?`, `All labels ${name} become ${into}. This cannot be undone. Automatic labels and the certificate are withdrawn until the next model is judged.`);
    if (sure) await changeClasses("merge", [name, into]);
    else select.value = "";
  });
  return select;
}

const changeClasses = (change, names, ask_again = false) => act(() => post("/classes", { change, names, ask_again }), "Classes changed");

// -- settings --------------------------------------------------------------------------------

function showSettings({ settings }) {
  const groups = new Map(GROUPS.map((name) => [name, []]));
  for (const one of settings.filter((setting) => setting.group)) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  fields = new Map();
  $("groups").replaceChildren(...[...groups].map(([name, members]) => group(name, members)));
  $("fixed").replaceChildren(...settings.filter((one) => one.why_fixed).map(fixedRow));
  showChanged();
}

function group(name, members) {
  const made = element("fieldset");
  made.append(element("legend", "", name), ...members.map(field));
  return made;
}

function field(setting) {
  const row = element("div", "field");
  const label = Object.assign(element("label", "", setting.name), { htmlFor: `set-${setting.name}` });
  const input = Object.assign(inputOf(setting), { id: `set-${setting.name}` });
  const meaning = Object.assign(element("small"), { id: `means-${setting.name}` });
  // Names of strategies and settings stand between backticks.
  meaning.append(...words(setting).split("`").map((part, i) => (i % 2 ? element("code", "", part) : part)));
  input.setAttribute("aria-describedby", meaning.id);
  input.addEventListener("input", showChanged);
  fields.set(setting.name, { setting, input });
  row.append(label, input, meaning);
  return row;
}

function words({ meaning, is_optional }) {
  if (!is_optional || meaning.includes("None:")) return meaning.replace("None:", "empty:");
  return [meaning, "empty: none"].filter(Boolean).join("; ");
}

function inputOf({ value, choices, kind }) {
  if (choices) {
    const select = element("select");
    select.append(...choices.map((one) => new Option(one, one, false, one === value)));
    return select;
  }
  const input = Object.assign(element("input"), { value: value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value), autocomplete: "off" });
  input.inputMode = kind === "integer" ? "numeric" : kind === "number" ? "decimal" : "text";
  return input;
}

// [name, value] of each field that says something else than the setting.
function changes() {
  return [...fields.values()].map(({ setting, input }) => [setting, valueOf(setting, input.value.trim())]).filter(([setting, value]) => JSON.stringify(value) !== JSON.stringify(setting.value)).map(([setting, value]) => [setting.name, value]);
}

function valueOf({ kind, is_optional, value }, text) {
  if (text === "" && is_optional) return null;
  if (value !== null && typeof value === "object") return parsed(text);
  // What is no number is sent as it is: the server says what is wrong with it.
  return ["integer", "number"].includes(kind) && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function showChanged() {
  const names = changes().map(([name]) => name);
  $("save").disabled = !names.length;
  $("changed").textContent = names.length ? `Changed: ${names.join(", ")}` : "";
}

function fixedRow({ name, value, why_fixed }) {
  const row = element("tr");
  row.append(Object.assign(element("th", "", name), { scope: "row" }), element("td", "", value === null ? "none" : typeof value === "object" ? JSON.stringify(value) : String(value)), element("td", "", why_fixed));
  return row;
}

function save(event) {
  event.preventDefault();
  const wanted = Object.fromEntries(changes());
  act(async () => {
    await post("/settings", { changes: wanted });
    for (const { setting } of fields.values()) if (setting.name in wanted) setting.value = wanted[setting.name];
    showChanged();
  }, "Saved");
}

// -- doing -----------------------------------------------------------------------------------

async function act(send, said) {
  try {
    await send();
    toast(said);
    document.activeElement?.blur();
    await refresh();
    return true;
  } catch (problem) {
    toast(problem.message);
    return false;
  }
}

function ask(title, text) {
  $("sure-title").textContent = title;
  $("sure-text").textContent = text;
  $("sure").returnValue = "no";
  $("sure").showModal();
  return new Promise((resolve) => $("sure").addEventListener("close", () => resolve($("sure").returnValue === "yes"), { once: true }));
}

async function stop() {
  const sure = await ask("End the run now?", "No further image is asked. The last certificate has its round's share of the risk only, so less may be labelled automatically.");
  if (sure) act(() => post("/stop", {}), "The run ends");
}

function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => ($("toast").hidden = true), 8000);
}

function element(tag, className = "", text = null) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  return made;
}

async function start() {
  try {
    noneOfThese = (await get("/project")).none_of_these;
    const standing = await refresh();
    follow(standing.seq, { onEvent: ({ kind }) => ANEW.has(kind) && refresh().catch(() => {}), onLine: (isUp) => ($("line").textContent = isUp ? "" : "The server cannot be reached; trying again") });
  } catch (problem) {
    $("line").textContent = problem.message;
    setTimeout(start, 2000);
  }
}

$("settings").addEventListener("submit", save);
$("pause").addEventListener("click", () => act(() => post("/pause", {}), "Paused"));
$("resume").addEventListener("click", () => act(() => post("/resume", {}), "Going on"));
$("stop").addEventListener("click", stop);
$("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await changeClasses("add", [$("new-class").value.trim()], $("ask-again").checked)) $("add").reset();
});
start();
