import type { Loop } from '../../../server/access/shares.js';

/** An event loop that turns when the test says so. */
export class TestLoop implements Loop {
  time = 0;
  #next: (() => void)[] = [];
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  next(run: () => void): void {
    this.#next.push(run);
  }

  after(ms: number, run: () => void): void {
    this.#timers.push({ at: this.time + ms, run });
  }

  get isIdle(): boolean {
    return this.#next.length === 0;
  }

  turn(ms = 0): void {
    this.time += ms;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { run } of due) run();
    for (const run of this.#next.splice(0)) run();
  }
}
