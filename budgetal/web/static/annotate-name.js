// A page's name on its leases. It outlives a reload; a copy of a tab, which brings the name along, gets one of its own.

const WITHIN_MS = 1500;

// onCopy(): this page is a copy of another one, and what that one remembers is not its own.
export async function takeName(onCopy) {
  const wanted = (sessionStorage.client ??= crypto.randomUUID());
  if (await isHeldHere(wanted)) return wanted;
  onCopy();
  sessionStorage.client = crypto.randomUUID();
  // Held too, or a copy of this tab would have the same name.
  await isHeldHere(sessionStorage.client);
  return sessionStorage.client;
}

function isHeldHere(name) {
  if (!navigator.locks) return Promise.resolve(true);
  const held = (answer) => {
    answer(true);
    return new Promise(() => {});
  };
  // On a reload the page before lets go within moments.
  const signal = AbortSignal.timeout(WITHIN_MS);
  return new Promise((answer) => navigator.locks.request(`page/${name}`, { signal }, () => held(answer)).catch(() => answer(false)));
}
