/** Gives a function that begins each act when the one before it has ended, also when that has failed. */
export function inOrder(): (act: () => Promise<void>) => Promise<void> {
  let latest: Promise<void> = Promise.resolve();
  return (act) => {
    latest = latest.then(act, act);
    return latest;
  };
}
