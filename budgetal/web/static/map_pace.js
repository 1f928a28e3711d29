// Whether a movement is drawn with fewer points, because frames with all of them take too long here; and when it is over.

const SLOW_MS = 30;
const FRAMES = 4;
const LONGEST_MS = 500;
const REST_MS = 160;
const TRIED_AGAIN_MS = 20_000;

export class Pace {
  // onRest(): nothing has moved for a while, and what is shown is not everything.
  constructor(onRest) {
    this.onRest = onRest;
    this.gaps = [];
    this.slowSince = -Infinity;
    this.note = (now) => this.took(now - this.drawnAt, now);
  }

  // Whether a frame of a movement at `now` is to be a light one. After a while full ones are tried again.
  isLight(now) {
    return now - this.slowSince < TRIED_AGAIN_MS;
  }

  // A frame of a movement was drawn. The browser asks for the next one once it is through with this one.
  drew(now, wasLight) {
    clearTimeout(this.rest);
    this.drawnAt = now;
    if (wasLight) this.rest = setTimeout(this.onRest, REST_MS);
    else requestAnimationFrame(this.note);
  }

  // A full frame took so long.
  took(ms, now) {
    this.gaps.push(Math.min(ms, LONGEST_MS));
    if (this.gaps.length < FRAMES) return;
    if (this.gaps.reduce((sum, gap) => sum + gap, 0) > FRAMES * SLOW_MS) this.slowSince = now;
    this.gaps = [];
  }
}
