// Why this image was asked: what the model finds of it, and the labelled images that look most like it.

import { $, element, sharpen } from "./annotate-elements.js";
import { get, imageUrl } from "./api.js";
import { percent } from "./words.js";

const QUANTITIES = [
  ["uncertainty", "How unsure the model is"],
  ["correlation", "How many images it stands for"],
  ["informativeness", "How much its label tells"],
];

export class Why {
  constructor(onOpen) {
    this.onOpen = onOpen;
    this.for = null;
  }

  get isOpen() {
    return !$("why").hidden;
  }

  close() {
    $("why").hidden = true;
    $("why-button").setAttribute("aria-expanded", "false");
    this.for = null;
  }

  async open(sampleId) {
    $("why").hidden = false;
    $("why-button").setAttribute("aria-expanded", "true");
    if (this.for === sampleId) return;
    this.for = sampleId;
    $("why-body").replaceChildren(element("p", {}, "One moment"));
    let body;
    try {
      const reason = await get(`/reasons/${sampleId}`);
      body = reason.is_blind ? [element("p", {}, reason.note)] : this.body(reason);
      if (!reason.is_blind && this.for === sampleId) this.onOpen(sampleId, reason.guesses[0] ?? null);
    } catch (problem) {
      body = [element("p", {}, problem.message)];
    }
    if (this.for === sampleId) $("why-body").replaceChildren(...body);
  }

  body(reason) {
    const guesses = reason.guesses.map((guess) => `${guess.label} ${percent(guess.confidence, 0)}`).join(", ");
    const table = element("table");
    table.append(...QUANTITIES.map(([name, words]) => this.row(words, reason[name])));
    const strip = element("ul", { className: "alike" });
    strip.append(...reason.neighbours.map((one) => this.neighbour(one)));
    return [
      element("p", {}, `Chosen in round ${reason.round} by “${reason.strategy}”: ${reason.summary}`),
      element("p", {}, `The model's guesses: ${guesses}`),
      table,
      element("p", {}, reason.neighbours.length ? "Labelled images that look most like it:" : "No labelled image to compare it with yet."),
      strip,
    ];
  }

  row(words, { value, percentile }) {
    const row = element("tr");
    const bar = element("meter", { min: 0, max: 1, value: percentile });
    bar.setAttribute("aria-label", `${words}: above ${percent(percentile, 0)} of the images`);
    const cell = element("td");
    cell.append(bar);
    row.append(element("th", { scope: "row" }, words), element("td", {}, value.toFixed(2)), cell, element("td", {}, percentile === 1 ? "above all" : `above ${percent(percentile, 0)}`));
    return row;
  }

  neighbour({ sample_id, label, similarity }) {
    const item = element("li");
    const image = element("img", { src: imageUrl(sample_id, "small"), alt: `Labelled image: ${label}`, width: 64, height: 64 });
    image.addEventListener("load", () => sharpen(image));
    item.append(image, element("span", {}, `${label} · ${similarity.toFixed(2)}`));
    return item;
  }
}
