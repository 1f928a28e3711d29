// Keys and buttons of the review page, and what each one does.

const SHARP_BELOW_PX = 96;

const $ = (id) => document.getElementById(id);

export function listen(page) {
  const pressed = { accept: () => page.accept(), "accept-all": () => page.acceptAll(), undo: () => page.takeBack(), none: () => page.correct(page.noneOfThese), next: () => page.next(), previous: () => page.previous(), help: () => $("keys").showModal() };
  for (const [id, act] of Object.entries(pressed)) $(id).addEventListener("click", act);
  for (const id of ["order", "label", "show"]) $(id).addEventListener("change", () => { page.load(); $(id).blur(); });
  $("large").addEventListener("load", () => $("large").classList.toggle("sharp", $("large").naturalWidth < SHARP_BELOW_PX));
  document.addEventListener("keydown", (event) => key(page, event));
}

function key(page, event) {
  const busy = event.target.matches("input, select") || $("keys").open;
  if (busy || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const isButton = event.target instanceof HTMLButtonElement;
  if (isButton && (event.key === " " || event.key === "Enter")) return;
  const act = commands(page, event)[event.key] ?? classKey(page, event.key.toLowerCase());
  if (!act) return;
  event.preventDefault();
  // A key that is held down may move, but says nothing of images that nobody has seen.
  if (!event.repeat || event.key.startsWith("Arrow")) act();
}

function classKey(page, name) {
  return page.keys.has(name) && page.grid.current ? () => page.correct(page.keys.get(name)) : null;
}

function commands(page, { key, shiftKey }) {
  const move = () => page.grid.move(key, shiftKey);
  return {
    ArrowLeft: move, ArrowRight: move, ArrowUp: move, ArrowDown: move,
    " ": () => page.accept(),
    Enter: () => page.acceptAll(),
    Backspace: () => page.takeBack(),
    PageDown: () => page.next(),
    PageUp: () => page.previous(),
    n: () => page.grid.current && page.correct(page.noneOfThese),
    "?": () => $("keys").showModal(),
    "/": () => page.classes.focusFinder(),
  };
}
