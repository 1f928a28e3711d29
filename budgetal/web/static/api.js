// The HTTP API, version 1. Every page talks to the server through this file only.

const ROOT = "/api/v1";

// A reply that is no success. status 0: the server could not be reached.
export class Problem extends Error {
  constructor(status, error, message) {
    super(message);
    this.status = status;
    this.error = error;
  }

  // Whether the same request may succeed later.
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const get = (path) => request(path, { method: "GET" });

// The reply as an ArrayBuffer.
export async function bytes(path) {
  const reply = await answered(path, { method: "GET" });
  if (!reply.ok) throw await problem(reply);
  return reached(() => reply.arrayBuffer());
}

export const post = (path, body, options = {}) =>
  request(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), ...options });

export const imageUrl = (sampleId, size = "large") => `${ROOT}/images/${sampleId}?size=${size}`;

// Calls onEvent(event) for each event of the journal, onLearner(status), onLine(isUp); the browser reconnects by itself.
export function follow(after, { onEvent, onLearner, onLine }) {
  const source = new EventSource(`${ROOT}/events?after=${after}`);
  source.addEventListener("open", () => onLine?.(true));
  source.addEventListener("error", () => onLine?.(false));
  source.addEventListener("journal", (message) => onEvent?.(JSON.parse(message.data)));
  source.addEventListener("learner", (message) => onLearner?.(JSON.parse(message.data)));
  return source;
}

// Who signed in when this page was loaded. Somebody else may have signed in in another tab since: what was meant as this
// person's is then refused rather than recorded as theirs.
export const annotator = document.body.dataset.annotator ?? "";

async function request(path, options) {
  const reply = await answered(path, options);
  if (!reply.ok) throw await problem(reply);
  const text = await reached(() => reply.text());
  return text ? JSON.parse(text) : {};
}

async function answered(path, options) {
  const headers = { ...options.headers, "budgetal-annotator": encodeURIComponent(annotator) };
  return reached(() => fetch(ROOT + path, { credentials: "same-origin", ...options, headers }));
}

// A server that ends in the middle of its reply was not reached either: whether it did what was asked is not known.
async function reached(send) {
  try {
    return await send();
  } catch {
    throw new Problem(0, "unreachable", "The server cannot be reached");
  }
}

async function problem(reply) {
  const body = await reply.json().catch(() => ({}));
  return new Problem(reply.status, body.error ?? "failed", body.message ?? reply.statusText);
}
