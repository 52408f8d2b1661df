/** Proves again and again that the server works, and tells somebody so: a service elsewhere, or the one that started it. */

interface Proof {
  readonly everyMs: number;
  /** How long the server may take to prove that it works. */
  readonly proofMs: number;
  /** Resolves when the server has done something that only a working server can do. */
  readonly prove: () => Promise<void>;
  readonly tell: () => Promise<void>;
  /** Takes why there was no proof, or why telling it failed. */
  readonly onFailure: (error: Error) => void;
}

/** A timer that still runs would be no proof. Returns a function that ends it. */
export function tellWhileWorking({ everyMs, proofMs, prove, tell, onFailure }: Proof): () => void {
  const beat = (): Promise<void> => within(proofMs, prove()).then(tell).catch(onFailure);
  beat();
  const timer = setInterval(beat, everyMs);
  return () => clearInterval(timer);
}

async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the server has not done its work within ${ms / 1000} s`)), ms);
  });
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
