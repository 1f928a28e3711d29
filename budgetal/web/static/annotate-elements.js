// Small pieces of a page.

export const $ = (id) => document.getElementById(id);

export function element(tag, properties = {}, text = null) {
  const made = Object.assign(document.createElement(tag), properties);
  if (text !== null) made.textContent = text;
  return made;
}

export function bold(place, strong, rest) {
  place.replaceChildren(element("b", {}, strong), rest);
}

// Tiny images are recognised from a distance, with sharp edges.
const SHARP_BELOW_PX = 96;
export const sharpen = (image) => image.classList.toggle("sharp", Math.max(image.naturalWidth, image.naturalHeight) < SHARP_BELOW_PX);
