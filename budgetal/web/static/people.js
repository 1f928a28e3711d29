// The people page: invites, roles, and the end of accounts. For owners.

import { get, post } from "./api.js";
import { count } from "./words.js";

const ROLES = ["annotator", "reviewer", "owner"];
const $ = (id) => document.getElementById(id);
const me = document.body.dataset.annotator;

function show({ people, invites }) {
  $("nobody").hidden = people.length > 0;
  $("people").replaceChildren(...people.map(person));
  $("open").hidden = invites.length === 0;
  $("invites").replaceChildren(...invites.map(invite));
}

function person({ name, role, is_revoked, n_answers }) {
  const item = element("li", is_revoked ? "revoked" : "");
  const who = element("p", "name", name);
  if (name === me) who.append(element("span", "tag", "you"));
  item.append(who, element("p", "hint", `${count(n_answers)} answer${n_answers === 1 ? "" : "s"}`));
  if (is_revoked) item.append(element("p", "tag", `revoked ${role}`));
  else item.append(roleChoice(name, role), passwordButton(name), revokeButton(name));
  return item;
}

function roleChoice(name, role) {
  const choice = element("select");
  choice.setAttribute("aria-label", `Role of ${name}`);
  choice.append(...ROLES.map((one) => new Option(one, one, one === role, one === role)));
  choice.addEventListener("change", () => change("/roles", { name, role: choice.value }));
  return choice;
}

function passwordButton(name) {
  const button = element("button", "", "New password");
  button.setAttribute("aria-label", `New password for ${name}`);
  button.addEventListener("click", () => makeLink({ name }));
  return button;
}

function revokeButton(name) {
  const button = element("button", "danger", "Revoke");
  button.setAttribute("aria-label", `Revoke ${name}`);
  button.addEventListener("click", () => {
    $("sure-title").textContent = `Revoke ${name}?`;
    $("sure").onclose = () => $("sure").returnValue === "yes" && change("/revocations", { name });
    $("sure").returnValue = "";
    $("sure").showModal();
  });
  return button;
}

function invite({ invite: id, role, name, made_by, ends_unix_s }) {
  const item = element("li");
  const ends = new Date(1000 * ends_unix_s).toLocaleDateString([], { day: "numeric", month: "short" });
  const button = element("button", "danger", "Withdraw");
  button.setAttribute("aria-label", `Withdraw the invite for ${name || `any ${role}`}`);
  button.addEventListener("click", () => change("/withdrawals", { invite: id }));
  item.append(element("p", "name", name || "anybody"), element("p", "hint", `${role}, until ${ends}, by ${made_by}`), button);
  return item;
}

async function makeLink(wanted) {
  const made = await change("/invites", wanted);
  if (!made) return;
  $("made").hidden = false;
  $("made-for").textContent = wanted.name || "whom you invite";
  $("made-link").value = made.link;
  $("made-link").select();
}

// Asks for a change; shows who belongs to the project after it, or why it was refused.
async function change(path, body) {
  try {
    const reply = await post(path, body);
    $("line").textContent = "";
    show(reply.people.people ? reply.people : reply);
    return reply;
  } catch (problem) {
    $("line").textContent = problem.message;
    get("/people").then(show, () => {});
    return null;
  }
}

function element(tag, className = "", text = null) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (tag === "button") made.type = "button";
  if (text !== null) made.textContent = text;
  return made;
}

$("invite").addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  makeLink({ role: fields.get("role"), name: fields.get("name").trim() });
});
$("copy").addEventListener("click", async () => {
  $("made-link").select();
  // Only a secure address gives scripts the clipboard; the link is selected in any case.
  await navigator.clipboard?.writeText($("made-link").value).catch(() => {});
  $("copy").textContent = navigator.clipboard ? "Copied" : "Press Ctrl+C";
});
get("/people").then(show, (problem) => ($("line").textContent = problem.message));
