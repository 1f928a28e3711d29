// Colours of the points: of classes, of who gave the label, of how unsure the model is. Red, green and blue, 0 to 255.

import { AUTOMATIC, BY_PEOPLE, NONE_LABEL, NO_LABEL, UNTOLD } from "./map_data.js";

const LIGHT = {
  classes: ["1f66a8", "d1700a", "0b7a5e", "b3325c", "6b4fb3", "8a6d00", "0e8aa0", "8c4a2f", "c23fa0", "4d7a1d"],
  open: "b6bcc6", none: "57616f", people: "bf4f0b", automatic: "1f66a8", sure: "8fb4d6", unsure: "b3200a",
};
const DARK = {
  classes: ["6cb2f5", "f7a654", "4cc9a2", "f5809f", "b39df5", "e0c54a", "55cfe0", "d99a78", "ee8fd4", "a5d063"],
  open: "4a5462", none: "a3adbb", people: "f79b54", automatic: "6cb2f5", sure: "3f6388", unsure: "ff9b6a",
};
const GOLDEN_ANGLE = 137.508;

export function palette(isDark) {
  const named = isDark ? DARK : LIGHT;
  const colours = Object.fromEntries(Object.entries(named).map(([name, value]) => [name, Array.isArray(value) ? value.map(parsed) : parsed(value)]));
  return { ...colours, ofClass: (target) => colours.classes[target] ?? further(target, isDark) };
}

// Colour of one point, and how large it is beside the others (16: as usual).
export const PAINTERS = {
  label: (colours) => (labels, provenance, _uncertainty, i) => {
    if (labels[i] === NO_LABEL) return [colours.open, 11];
    const size = provenance[i] === BY_PEOPLE ? 24 : 15;
    return [labels[i] === NONE_LABEL ? colours.none : colours.ofClass(labels[i]), size];
  },
  provenance: (colours) => (_labels, provenance, _uncertainty, i) => {
    if (provenance[i] === BY_PEOPLE) return [colours.people, 24];
    return provenance[i] === AUTOMATIC ? [colours.automatic, 15] : [colours.open, 12];
  },
  uncertainty: (colours) => {
    const ramp = Array.from({ length: UNTOLD }, (_, step) => mixed(colours.sure, colours.unsure, step / (UNTOLD - 1)));
    return (_labels, _provenance, uncertainty, i) => (uncertainty[i] === UNTOLD ? [colours.open, 9] : [ramp[uncertainty[i]], 15]);
  },
};

export const css = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;

const parsed = (text) => [0, 2, 4].map((at) => parseInt(text.slice(at, at + 2), 16));
const mixed = (from, to, share) => from.map((value, i) => value + share * (to[i] - value));

// Beyond the hand-picked ones: hues that lie far from one another, in three shades.
function further(target, isDark) {
  const light = (isDark ? 0.68 : 0.42) + 0.09 * ((target % 3) - 1);
  return fromHsl((target * GOLDEN_ANGLE) % 360, 0.6, light);
}

function fromHsl(hue, saturation, light) {
  const part = (shift) => {
    const place = (shift + hue / 30) % 12;
    return 255 * (light - saturation * Math.min(light, 1 - light) * Math.max(-1, Math.min(place - 3, 9 - place, 1)));
  };
  return [part(0), part(8), part(4)];
}
