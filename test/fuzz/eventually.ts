const PATIENCE_MS = 30_000;

/** Asks what is wrong until nothing is; rejects with what still is when it does not get better. */
export async function eventually(wrong: () => Promise<string | undefined>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const fault = await wrong();
    if (fault === undefined) return;
    if (performance.now() > end) throw new Error(`still so after ${PATIENCE_MS / 1000} s: ${fault}`);
    await new Promise((turn) => setImmediate(turn));
  }
}

/** The same of one thing that may never come. */
export async function inTime<T>(what: string, coming: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}
