/** An answer that takes longer, in milliseconds, tells the time badly. */
const LATE_MS = 250;

/** The time of the database, so that all servers have the same, whatever their own clocks show. */
export class EngineClock {
  /** What `performance.now()` is behind the time of the database. */
  #offset: number | undefined;

  /**
   * The database has told its time.
   * @param engine milliseconds since 1970
   * @param asked when it was asked, by `performance.now()`
   */
  hear(engine: number, asked: number): void {
    const now = performance.now();
    if (this.#offset !== undefined && now - asked > LATE_MS) return;
    this.#offset = engine - (asked + now) / 2;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return Math.round(performance.now() + (this.#offset ?? performance.timeOrigin));
  }
}
