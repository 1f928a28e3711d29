// What the server says of the map, as columns.

import { bytes, get } from "./api.js";

export const OPEN = 0, BY_PEOPLE = 1, AUTOMATIC = 2;
export const NO_LABEL = 0xffff, NONE_LABEL = 0xfffe, UNTOLD = 255;

export const fetchInfo = () => get("/map");

// { places: (x, y) each, idOf(i) }
export async function fetchPoints({ name, n_points, id_bytes }) {
  const raw = await bytes(`/map/points?name=${name}`);
  const ids = new Uint8Array(raw, 8 * n_points);
  const idOf = (i) => Array.from(ids.subarray(i * id_bytes, (i + 1) * id_bytes), hex).join("");
  return { places: levelled(new Float32Array(raw, 0, 2 * n_points)), idOf };
}

// { labels, provenance, uncertainty }, one each.
export async function fetchMarks({ name, n_points }) {
  const raw = await bytes(`/map/marks?name=${name}`);
  return {
    labels: new Uint16Array(raw, 0, n_points),
    provenance: new Uint8Array(raw, 2 * n_points, n_points),
    uncertainty: new Uint8Array(raw, 3 * n_points, n_points),
  };
}

// Around 0, at a distance of 1 on average: a draft and its map, and one map and the next, lie over one another.
function levelled(places) {
  const n = Math.max(1, places.length / 2);
  const middle = [0, 1].map((axis) => mean(n, (i) => places[2 * i + axis]));
  const spread = Math.sqrt(mean(n, (i) => (places[2 * i] - middle[0]) ** 2 + (places[2 * i + 1] - middle[1]) ** 2)) || 1;
  return places.map((value, k) => (value - middle[k % 2]) / spread);
}

function mean(n, of) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += of(i) || 0;
  return sum / n;
}

const hex = (byte) => byte.toString(16).padStart(2, "0");
