// Words for what goes on behind the images: why there is none to label, and what the line to the server does.

import { $, element } from "./annotate-elements.js";
import { count, isWaiting, learnerWords } from "./words.js";

// Title and text in an image's place. problem: of the server, or null; ended: whether the run has.
export function noticeWords({ problem, ended, standing, learner }) {
  if (problem?.status === 401) return ["Signed out", "Sign in again; answers that you gave are kept in this browser."];
  if (problem) return ["Waiting for the server", "Answers that you gave are kept in this browser."];
  if (ended) return ["All done", `This run has ended: ${standing?.stop_reason}. Thank you.`];
  if (standing?.paused) return ["Paused", "An owner has paused this project. When it goes on, so does this page."];
  if (standing?.n_open && isWaiting(learner)) return ["One moment", "Every open image is in somebody's hands."];
  return ["Choosing your next images", learnerWords(learner)];
}

export function showLine(outbox, problem, standing) {
  const { size } = outbox;
  const held = size ? `; ${count(size)} answer${size > 1 ? "s are" : " is"} kept here` : "";
  const trouble = outbox.problem ?? problem;
  if (trouble?.status === 401) return showSignedOut(held);
  const waiting = outbox.others.map((name) => `Answers of ${name} are kept here until they sign in again`);
  if (standing?.paused) waiting.unshift("This project is paused: the images that you have are still taken, and no new ones come");
  $("line").textContent = trouble ? `The server cannot be reached${held}` : waiting.join("; ");
}

function showSignedOut(held) {
  const again = element("a", { href: "/login" }, "Sign in again");
  $("line").replaceChildren("Signed out. ", again, held);
}
