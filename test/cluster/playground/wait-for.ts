import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 100;

/** Resolves with the time it took, in milliseconds, when the predicate holds. It is asked ten times a second. */
export async function waitFor(predicate: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  while (!(await predicate())) await delay(EVERY_MS);
  return Math.round(performance.now() - begun);
}
