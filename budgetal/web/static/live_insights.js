// The lower half of the live page: errors and the images behind them, the forecast, classes, people.

import { get, imageUrl } from "./api.js";
import { chart, element, redraw, table } from "./live_figures.js";
import { count, duration, percent } from "./words.js";

const $ = (id) => document.getElementById(id);
const MOST_CLASSES = 40;

export class Insights {
  // isReviewer: there is a matrix of errors, whose cells open their images, and a table of people.
  constructor({ isReviewer }) {
    this.isReviewer = isReviewer;
    this.seen = new Map();
  }

  // What is as it was stays on the page untouched: somebody may be reading or pointing at it.
  isNews(part, found) {
    const text = JSON.stringify(found);
    if (this.seen.get(part) === text) return false;
    this.seen.set(part, text);
    return true;
  }

  // Each part by itself: one that fails leaves the others.
  async refresh(standing) {
    const parts = [this.outlook(), this.classes(), ...(this.isReviewer ? [this.errors(), this.people(standing)] : [])];
    await Promise.allSettled(parts);
  }

  async errors() {
    const { classes, counts } = await get("/confusion");
    if (!this.isNews("errors", { classes, counts })) return;
    const total = sum(counts.flat());
    $("errors").hidden = total === 0;
    if (!total) return;
    const right = sum(counts.map((row, i) => row[i]));
    $("errors-note").textContent = `Of ${count(total)} images that the model chose to ask, it had guessed ${count(right)} right (${percent(right / total)}) before people answered. It chooses those that it is unsure of, so it is right more often on the rest.`;
    const shown = classes.map((_, i) => i).filter((i) => classes.length <= MOST_CLASSES || sum(counts[i]) - counts[i][i] > 0);
    redraw($("confusion"), this.matrix(classes, counts, shown));
  }

  matrix(classes, counts, shown) {
    const head = document.createElement("thead");
    const names = document.createElement("tr");
    names.append(corner(), ...shown.map((i) => heading(classes[i], "col")));
    head.append(names);
    const body = document.createElement("tbody");
    for (const i of shown) {
      const row = document.createElement("tr");
      const most = Math.max(1, sum(counts[i]));
      row.append(heading(classes[i], "row"), ...shown.map((j) => this.cell(classes, i, j, counts[i][j], most)));
      body.append(row);
    }
    return [head, body];
  }

  cell(classes, i, j, n, most) {
    const made = document.createElement("td");
    if (!n) return made;
    made.className = `${i === j ? "right" : "wrong"} share-${Math.ceil((5 * n) / most)}`;
    const words = i === j ? `${classes[i]} recognised: ${count(n)}` : `${classes[i]} taken for ${classes[j]}: ${count(n)}`;
    const button = element("button", "", count(n));
    Object.assign(button, { type: "button", title: words });
    button.dataset.key = `${i} ${j}`;
    button.setAttribute("aria-label", `${words}. Show the images`);
    button.addEventListener("click", () => this.open(words, classes[i], classes[j]));
    made.append(button);
    return made;
  }

  async open(words, label, guess) {
    const ids = await get(`/confusion/images?${new URLSearchParams({ label, guess })}`);
    $("behind").hidden = false;
    $("behind-title").textContent = words;
    $("behind-images").replaceChildren(...ids.map((id) => picture(id, label, guess)));
    $("behind-title").focus({ preventScroll: true });
    $("behind").scrollIntoView({ block: "nearest" });
  }

  async outlook() {
    const { round, lines, note, figures } = await get("/forecast");
    if (!this.isNews("outlook", { round, lines, note, figures })) return;
    showFrom("outlook", round);
    $("outlook-lines").replaceChildren(...lines.map((line) => element("li", "", line)));
    $("outlook-note").textContent = note;
    redraw($("outlook-charts"), figures.map((figure) => chart(figure, isOpen($("outlook-charts"), figure))));
  }

  async classes() {
    const found = await get("/class-table");
    if (!this.isNews("classes", found)) return;
    showFrom("classes", found.round);
    $("classes-table").replaceChildren(table(found));
  }

  async people(standing) {
    const found = await get("/paces");
    if (!this.isNews("people", { found, n_left: standing.n_left })) return;
    $("people").hidden = found.length === 0;
    const pace = sum(found.map((person) => person.per_minute ?? 0));
    $("people-note").textContent = pace && standing.n_left ? `At the pace of their last ten minutes of answers the budget lasts about ${duration((60 * standing.n_left) / pace)}.` : "";
    const columns = ["Person", "Answers", "A minute", "Agreement", "Expected right", "Known images right"];
    const rows = found.map((person) => [
      person.annotator,
      count(person.n_answers),
      person.per_minute === null ? "–" : person.per_minute.toFixed(1),
      person.n_shared ? `${percent(person.agreement)} of ${count(person.n_shared)}` : "–",
      person.accuracy === null ? "–" : `${percent(person.accuracy)} (${percent(person.low)} to ${percent(person.high)})`,
      person.n_known ? `${count(person.n_known_right)} of ${count(person.n_known)} (${percent(person.known_low)} to ${percent(person.known_high)})` : "–",
    ]);
    $("people-table").replaceChildren(table({ columns, rows }));
  }
}

const isOpen = (place, figure) => [...place.querySelectorAll("details[open]")].some((one) => one.dataset.heading === figure.heading);
const sum = (values) => values.reduce((total, value) => total + value, 0);

// What is worked out once a round says after which; before the first there is nothing to say.
function showFrom(id, round) {
  $(id).hidden = round === null;
  $(`${id}-round`).textContent = `after round ${count(round)}`;
}

function corner() {
  const made = heading("people said ↓, the model had said →", "col");
  made.className = "corner";
  return made;
}

function heading(text, scope) {
  return Object.assign(element("th", "", text), { scope, title: text });
}

function picture(id, label, guess) {
  const image = Object.assign(document.createElement("img"), { src: imageUrl(id, "small"), loading: "lazy", alt: `${label}, guessed as ${guess}` });
  image.addEventListener("load", () => image.classList.toggle("sharp", image.naturalWidth <= 96));
  const item = document.createElement("li");
  item.append(image);
  return item;
}
