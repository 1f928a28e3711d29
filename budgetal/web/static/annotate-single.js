// One image, large, with the model's guess under it where that is wanted.

import { $, sharpen } from "./annotate-elements.js";
import { imageUrl } from "./api.js";
import { percent } from "./words.js";
import { Zoom } from "./zoom.js";

export class Single {
  constructor() {
    this.shown = null;
    this.zoom = new Zoom($("picture"), $("image"), $("zoom"));
  }

  // isWanted: somebody asked for the model's help, which some images never have.
  show(item, ahead, guess, isWanted) {
    $("guess").hidden = !guess;
    $("unaided").hidden = !isWanted || Boolean(item.guess);
    if (guess) $("guess-text").textContent = `Model's guess: ${guess.label}, ${percent(guess.confidence, 0)} sure`;
    if (this.shown !== item.sample_id) this.load(item.sample_id, ahead);
  }

  async load(sampleId, ahead) {
    const image = $("image");
    this.shown = sampleId;
    this.zoom.set(0);
    await ahead?.decode().catch(() => {});
    // Another one may have been asked for while this one was on its way.
    if (this.shown !== sampleId) return;
    image.src = imageUrl(sampleId);
    await image.decode().catch(() => {});
    if (this.shown !== sampleId) return;
    image.alt = "Image to label";
    image.hidden = false;
    image.dataset.sample = sampleId;
    sharpen(image);
    image.classList.remove("fresh");
    requestAnimationFrame(() => image.classList.add("fresh"));
  }

  hide() {
    this.shown = null;
    $("image").hidden = true;
    $("guess").hidden = true;
    $("unaided").hidden = true;
    delete $("image").dataset.sample;
  }
}
