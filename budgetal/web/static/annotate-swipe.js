// Touch: a swipe to the left skips, one to the right takes the last answer back.

const FAR_PX = 60;

export function swipes(place, { onLeft, onRight, isOff }) {
  let began = null;
  place.addEventListener("pointerdown", (event) => {
    began = event.pointerType === "touch" && event.isPrimary ? { x: event.clientX, y: event.clientY } : null;
  });
  place.addEventListener("pointercancel", () => (began = null));
  place.addEventListener("pointerup", (event) => {
    if (!began || isOff()) return;
    const across = event.clientX - began.x;
    const along = Math.abs(event.clientY - began.y);
    began = null;
    if (Math.abs(across) < FAR_PX || Math.abs(across) < 2 * along) return;
    (across < 0 ? onLeft : onRight)();
  });
}
