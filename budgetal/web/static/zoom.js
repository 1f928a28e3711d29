// Zoom into the picture: in, in again, out. The pointer says where.

const LEVELS = [1, 2, 4];

export class Zoom {
  constructor(frame, image, button) {
    Object.assign(this, { frame, image, button, level: 0 });
    frame.addEventListener("pointermove", (event) => this.level && event.pointerType !== "touch" && this.look(event));
    image.addEventListener("click", (event) => { this.look(event); this.next(); });
  }

  next() {
    this.set((this.level + 1) % LEVELS.length);
  }

  set(level) {
    this.level = level;
    this.image.style.transform = level ? `scale(${LEVELS[level]})` : "";
    this.frame.classList.toggle("zoomed", level > 0);
    this.button.setAttribute("aria-pressed", String(level > 0));
  }

  look(event) {
    const box = this.frame.getBoundingClientRect();
    const share = (value, low, size) => `${Math.min(100, Math.max(0, (100 * (value - low)) / size))}%`;
    this.image.style.transformOrigin = `${share(event.clientX, box.left, box.width)} ${share(event.clientY, box.top, box.height)}`;
  }
}
