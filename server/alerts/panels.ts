import { isCurrentDocument } from '../../shared/current-document.js';
import type { CurrentDocument } from '../../shared/panel.js';
import type { Document } from '../twins/document.js';
import { type Clock, wallTimeOf } from './clock.js';
import type { Facts } from './rules.js';

/** What the rules know of one panel. Times are in milliseconds since 1970. */
export class KnownPanel implements Facts {
  current: CurrentDocument | undefined;
  reportedAt = 0;
  /** Moments of elapsed time. */
  #lost: number | undefined;
  #open: number | undefined;
  /** When the rules are asked again without a report. */
  timer: NodeJS.Timeout | undefined;

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get lostSince(): number | undefined {
    return this.#lost === undefined ? undefined : wallTimeOf(this.#lost, this.#clock);
  }

  get openSince(): number | undefined {
    return this.#open === undefined ? undefined : wallTimeOf(this.#open, this.#clock);
  }

  /** @returns whether it was armed or disarmed by this report */
  report(document: Document | undefined, isConnected: boolean): boolean {
    const before = this.current;
    const data: unknown = document === undefined ? undefined : JSON.parse(document.data);
    this.current = isCurrentDocument(data) ? data : undefined;
    if (document !== undefined) this.reportedAt = Date.parse(document.updatedAt);
    if (isConnected) this.#lost = undefined;
    const { now, elapsed } = this.#clock;
    if (this.current?.door_open === true) this.#open ??= elapsed() - Math.max(0, now() - this.reportedAt);
    else this.#open = undefined;
    return (
      before !== undefined && this.current !== undefined && before.alarm_armed !== this.current.alarm_armed
    );
  }

  /** A panel that comes back counts as lost until it has reported. */
  gone(moment = this.#clock.elapsed()): void {
    this.#lost ??= moment;
  }
}
