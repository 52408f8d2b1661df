/** The SDK's `time` module, as far as it counts. */
interface TickCounter {
  readonly ticks: number;
  delta(start: number, end: number): number;
}

/**
 * Milliseconds from now on. An ESP32 counts them in 32 bits, which come round after 49 days, and a simulator looks at a
 * clock that may be set back: these go on. To be asked at least once in 24 days.
 */
export function ticksOf(counter: TickCounter): () => number {
  let total = 0;
  let seen = counter.ticks;
  return () => {
    const now = counter.ticks;
    total += Math.max(0, counter.delta(seen, now));
    seen = now;
    return total;
  };
}
