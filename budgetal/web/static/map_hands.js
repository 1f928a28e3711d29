// How the map is moved: drag, wheel, pinch and keys; and what is pointed at.

const STEP_PX = 60;
const TAP_PX = 6;

const KEYS = {
  ArrowLeft: (view) => view.pan(STEP_PX, 0),
  ArrowRight: (view) => view.pan(-STEP_PX, 0),
  ArrowUp: (view) => view.pan(0, STEP_PX),
  ArrowDown: (view) => view.pan(0, -STEP_PX),
  "+": (view) => view.zoom(1.4),
  "=": (view) => view.zoom(1.4),
  "-": (view) => view.zoom(1 / 1.4),
  0: (view) => view.fit(),
};

export class Hands {
  // onPoint(px, py) and onLeave(): the pointer is over a place of the map, or gone; onPick(): Enter was pressed.
  constructor(view, { onPoint, onLeave, onPick }) {
    Object.assign(this, { view, onPoint, onLeave, onPick, fingers: new Map(), moved: 0 });
    const { canvas } = view;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => this.up(event));
    canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.onLeave());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("dblclick", (event) => view.zoom(2, event.offsetX, event.offsetY));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  down(event) {
    if (this.fingers.size === 0) this.moved = 0;
    this.fingers.set(event.pointerId, at(event));
    this.view.canvas.setPointerCapture?.(event.pointerId);
    this.view.canvas.focus({ preventScroll: true, focusVisible: false });
  }

  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return this.onPoint(event.offsetX, event.offsetY);
    const now = at(event);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.fingers.set(event.pointerId, now);
    this.moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (this.moved > TAP_PX) this.onLeave();
    if (other) return this.pinch(before, now, other);
    return this.view.pan(now.x - before.x, now.y - before.y);
  }

  pinch(before, now, other) {
    const middle = (one) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
    const apart = (one) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
    const [from, to] = [middle(before), middle(now)];
    this.view.pan(to.x - from.x, to.y - from.y);
    this.view.zoom(apart(now) / apart(before), to.x, to.y);
  }

  up(event) {
    const isTap = this.fingers.delete(event.pointerId) && this.moved <= TAP_PX && event.type === "pointerup";
    if (isTap) this.onPoint(event.offsetX, event.offsetY);
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.view.zoom(Math.exp(-0.0016 * lines * event.deltaY), event.offsetX, event.offsetY);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.onPick();
    else if (event.key === "Escape") this.onLeave();
    else if (KEYS[event.key]) KEYS[event.key](this.view);
    else return;
    event.preventDefault();
  }
}

const at = (event) => ({ x: event.offsetX, y: event.offsetY });
