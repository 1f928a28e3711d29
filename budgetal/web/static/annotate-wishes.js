// How somebody wants to label: one by one or in a grid of so many, with the model's guess or without. Kept in the browser.

import { $ } from "./annotate-elements.js";

const place = (owner) => `${owner}/wishes`;

export const readWishes = (owner) => ({ grid: 0, size: 9, help: false, ...JSON.parse(localStorage.getItem(place(owner)) ?? "{}") });
export const keepWishes = (owner, wishes) => localStorage.setItem(place(owner), JSON.stringify(wishes));

export function showWishes({ grid, size, help }) {
  $("as-one").setAttribute("aria-pressed", String(!grid));
  $("as-grid").setAttribute("aria-pressed", String(Boolean(grid)));
  $("as-guess").setAttribute("aria-pressed", String(help));
  $("size").value = String(size);
  $("size-choice").hidden = !grid;
  $("as-guess").hidden = Boolean(grid);
}
