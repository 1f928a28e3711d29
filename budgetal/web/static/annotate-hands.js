// Keys, buttons and swipes of the annotate page, and which of its commands each one is.

import { $ } from "./annotate-elements.js";
import { swipes } from "./annotate-swipe.js";

const BUTTONS = { undo: "undo", none: "none", skip: "skip", broken: "broken", accept: "accept", help: "help", zoom: "zoom", "why-button": "why", "as-guess": "guess" };

export function listen(page) {
  for (const [id, command] of Object.entries(BUTTONS)) $(id).addEventListener("click", () => page.do(command));
  $("as-one").addEventListener("click", () => page.wishes.grid && page.do("grid"));
  $("as-grid").addEventListener("click", () => page.wishes.grid || page.do("grid"));
  $("size").addEventListener("change", () => page.wish({ size: Number($("size").value), grid: Number($("size").value) }));
  $("why-close").addEventListener("click", () => page.why.close());
  document.addEventListener("keydown", (event) => key(page, event));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && page.hand.fill(true));
  window.addEventListener("pagehide", () => page.hand.letGo());
  swipes($("picture"), { onLeft: () => page.do("skip"), onRight: () => page.do("undo"), isOff: () => page.single.zoom.level > 0 || page.grid.isShown });
}

function key(page, event) {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement || page.keys.isOpen;
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") return page.why.close();
  if (page.grid.isShown && event.key.startsWith("Arrow")) return pressed(event, () => page.grid.arrow(event.key), true);
  const { command, label } = page.keymap.meaning(event.key) ?? {};
  // A focused button is pressed by space and enter as everywhere, but an image of a grid is only pointed at.
  const isOnButton = event.target instanceof HTMLButtonElement && !event.target.classList.contains("tile");
  if ((!command && !label) || (isOnButton && [" ", "Enter"].includes(event.key))) return;
  pressed(event, () => (command ? page.do(command) : page.label(label)), false);
}

// A key that is held down would label images that nobody has seen; a cursor may run.
function pressed(event, act, mayRepeat) {
  event.preventDefault();
  if (!event.repeat || mayRepeat) act();
}
