/** Resolves when the predicate holds, asked at every turn of the event loop; the runner's time limit ends it else. */
export async function until(predicate: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await predicate())) await new Promise((turn) => setImmediate(turn));
}
