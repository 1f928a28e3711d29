// What this person answered last, newest last: kept for a reload, shown as a strip, taken back one by one.

import { $, bold, element, sharpen } from "./annotate-elements.js";
import { annotator, imageUrl } from "./api.js";

const STRIP = 8;
const REMEMBERED = 1000;
const STORED = `history of ${annotator}`;

export const forgetHistory = () => sessionStorage.removeItem(STORED);

export class History {
  // words(answer): what an answer is called; onUndo(at): the answer at this place is to be taken back.
  constructor(words, onUndo) {
    Object.assign(this, { words, onUndo });
    this.entries = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
  }

  isAnswered(id, since) {
    return this.entries.some((one) => one.sample_id === id && one.at >= since);
  }

  add(entry) {
    this.entries = [...this.entries, entry].slice(-REMEMBERED);
    this.save();
  }

  drop(sampleId) {
    this.entries = this.entries.filter((one) => one.sample_id !== sampleId);
    this.save();
  }

  // Take an answer out: the last one, a whole grid if it was accepted as one, or the one at this place.
  take(at = this.entries.length - 1) {
    const last = this.entries[at];
    if (!last) return null;
    const isWhole = last.batch !== null && at === this.entries.length - 1;
    const taken = isWhole ? this.entries.filter((entry) => entry.batch === last.batch) : [last];
    this.entries = this.entries.filter((entry) => !taken.includes(entry));
    return { last, taken, isWhole };
  }

  save() {
    sessionStorage.setItem(STORED, JSON.stringify(this.entries));
    this.show();
  }

  show() {
    const last = this.entries.at(-1);
    $("last").replaceChildren();
    if (last) bold($("last"), this.words(last.answer), last.answer.kind === "label" ? " was your last answer" : "");
    const recent = this.entries.slice(-STRIP).reverse();
    $("strip").replaceChildren(...recent.map((entry, i) => this.item(entry, this.entries.length - 1 - i)));
  }

  item(entry, at) {
    const button = element("button", { type: "button", title: "Take this answer back" });
    const image = element("img", { src: imageUrl(entry.sample_id, "small"), alt: "", width: 48, height: 48 });
    image.addEventListener("load", () => sharpen(image));
    button.append(image, element("span", {}, this.words(entry.answer)));
    button.setAttribute("aria-label", `Take back: ${this.words(entry.answer)}`);
    button.addEventListener("click", () => this.onUndo(at));
    const item = element("li");
    item.append(button);
    return item;
  }
}
