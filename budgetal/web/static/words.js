// Numbers as people read them.

export const count = (n) => n.toLocaleString("en");
export const percent = (share, digits = 1) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`);

export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

// What the learner says of itself, as a sentence.
export function learnerWords(learner) {
  if (!learner) return "No learner is at work: start one with “budgetal work”. Labels are taken meanwhile.";
  const { doing, done, total } = learner;
  const words = doing.charAt(0).toUpperCase() + doing.slice(1);
  return total > 1 ? [words, ...howFar(learner)].join(", ") : done > 0 ? `${words}, step ${count(done)}` : words;
}

// A fit that ends when it has converged says nothing of the time left.
function howFar({ doing, done, total, per_s, left_s }) {
  if (doing === "training the last layer") return [`step ${count(done)} of at most ${count(total)}`];
  const left = left_s ? [`about ${duration(left_s)} left`] : [];
  if (doing === "training") return [`epoch ${count(done)} of ${count(total)}`, ...left];
  return [`${count(done)} of ${count(total)}`, ...(per_s ? [`${speed(per_s)} images/s`] : []), ...left];
}

const speed = (per_s) => (per_s < 10 ? per_s.toFixed(1) : count(Math.round(per_s)));

export const isWaiting = (learner) => !learner || /^(waiting|finished)/.test(learner.doing);
