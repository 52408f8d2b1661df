import type { Logger } from 'pino';
import type { Attempt, Channel } from './channels/channel.js';
import { CLOCK, type Clock } from './clock.js';
import { type AlertStore, type Delivery, PAST_DELIVERIES } from './store.js';

/** Times are in milliseconds. */
export const OUTBOX_LIMITS = {
  /** How long a message is tried. */
  tryMs: 3_600_000,
  /** The pause after the first failure. Each further one is twice as long, and a random part of it is left out. */
  firstPauseMs: 2000,
  longestPauseMs: 300_000,
  /**
   * An attempt is written down before it is made. When the server is killed meanwhile, it is not known whether the message
   * has arrived, and it is sent again only after this.
   */
  inDoubtMs: 60_000,
  /** Attempts for one target at the same time. The others wait, and delay no other target. */
  atOnce: 2,
  /** After so many failures a message is held up, and an alarm goes to the next group of channels as well. */
  heldUpAfter: 3,
};

interface Ports {
  readonly store: Pick<AlertStore, 'deliveries'>;
  /** The channel of an id; undefined when the owner has removed it. */
  readonly channel: (id: string) => Channel | undefined;
  /** A message has failed for good, or is held up. */
  readonly onFailed: (delivery: Delivery) => Promise<void>;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly limits?: Partial<typeof OUTBOX_LIMITS>;
}

/**
 * The messages on their way. Each is on stable storage before its first attempt, and is tried until it is delivered, fails
 * for good, or is too old. A server that was killed goes on where it was.
 */
export class Outbox {
  readonly #ports: Ports;
  readonly #limits: typeof OUTBOX_LIMITS;
  readonly #clock: Clock;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** By target: how many attempts are under way, which deliveries wait for one to end, and until when it wants no more. */
  readonly #busy = new Map<string, number>();
  readonly #queues = new Map<string, string[]>();
  readonly #quietUntil = new Map<string, number>();
  /** When a message is given up, as a moment of elapsed time. */
  readonly #deadlines = new Map<string, number>();
  readonly #attempts = new Set<Promise<void>>();
  #isClosed = false;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#limits = { ...OUTBOX_LIMITS, ...ports.limits };
    this.#clock = ports.clock ?? CLOCK;
  }

  /** Goes on with what waits on stable storage. */
  begin(): void {
    for (const delivery of this.#ports.store.deliveries.all) {
      if (delivery.status === 'waiting') this.#schedule(delivery);
    }
  }

  /** Sends a message, unless it was made before. Resolves when it is on stable storage, or cannot be. */
  async add(delivery: Delivery): Promise<void> {
    const { deliveries } = this.#ports.store;
    if (deliveries.get(delivery.id) !== undefined) return;
    await deliveries.keep(delivery);
    this.#schedule(delivery);
    deliveries.forgetOldest(({ status }) => status !== 'waiting', PAST_DELIVERIES);
  }

  /** Makes no further attempt. Resolves when the present ones have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#attempts);
  }

  #schedule({ id, at, message }: Delivery): void {
    const { tryMs } = this.#limits;
    if (!this.#deadlines.has(id)) {
      const age = Math.min(Math.max(0, this.#clock.now() - Date.parse(message.at)), tryMs);
      this.#deadlines.set(id, this.#clock.elapsed() + tryMs - age);
    }
    this.#wait(id, Math.min(Math.max(0, Date.parse(at) - this.#clock.now()), tryMs));
  }

  #wait(id: string, ms: number): void {
    if (this.#isClosed) return;
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        this.#begin(id);
      }, ms),
    );
  }

  #begin(id: string): void {
    const delivery = this.#ports.store.deliveries.get(id);
    if (delivery?.status !== 'waiting' || this.#isClosed) return;
    const place = placeOf(delivery);
    const quiet = (this.#quietUntil.get(place) ?? 0) - this.#clock.elapsed();
    if (quiet > 0) return this.#wait(id, quiet);
    const busy = this.#busy.get(place) ?? 0;
    if (busy >= this.#limits.atOnce) {
      this.#queues.set(place, [...(this.#queues.get(place) ?? []), id]);
      return;
    }
    this.#busy.set(place, busy + 1);
    const attempt = this.#try(delivery).finally(() => {
      this.#attempts.delete(attempt);
      const left = (this.#busy.get(place) ?? 1) - 1;
      if (left === 0) this.#busy.delete(place);
      else this.#busy.set(place, left);
      const next = this.#queues.get(place)?.shift();
      if (next === undefined) this.#queues.delete(place);
      else this.#begin(next);
    });
    this.#attempts.add(attempt);
  }

  async #try(waiting: Delivery): Promise<void> {
    const inDoubt = new Date(this.#clock.now() + this.#limits.inDoubtMs).toISOString();
    const delivery = { ...waiting, attempts: waiting.attempts + 1, at: inDoubt };
    await this.#ports.store.deliveries.keep(delivery);
    const channel = this.#ports.channel(delivery.channel);
    const outcome: Attempt =
      channel === undefined
        ? { kind: 'failed', reason: 'the channel was removed' }
        : await channel.send(delivery.message, delivery.target);
    const after = this.#after(delivery, outcome);
    if (outcome.kind !== 'delivered') {
      const { id, attempts, reason } = after;
      const text = `a message by channel ${delivery.channel} was not delivered: ${reason}`;
      this.#ports.log.warn({ delivery: id, attempts, reason }, text);
    }
    await this.#ports.store.deliveries.keep(after);
    if (after.status === 'waiting') this.#schedule(after);
    else this.#deadlines.delete(after.id);
    if (after.status === 'failed' || after.is_held_up) await this.#ports.onFailed(after);
  }

  #after(delivery: Delivery, outcome: Attempt): Delivery {
    const now = this.#clock.now();
    const ended = { ...delivery, at: new Date(now).toISOString(), is_held_up: false };
    if (outcome.kind === 'delivered') return { ...ended, status: 'delivered', reason: null };
    const { reason } = outcome;
    if (outcome.kind !== 'again') return { ...ended, status: 'failed', reason };
    const { attempts } = delivery;
    const { afterMs = 0, attempts: most = Number.POSITIVE_INFINITY } = outcome;
    const elapsed = this.#clock.elapsed();
    if (afterMs > 0) this.#quietUntil.set(placeOf(delivery), elapsed + afterMs);
    const wait = Math.max(this.#pause(attempts), afterMs);
    if (attempts >= most || elapsed + wait > (this.#deadlines.get(delivery.id) ?? elapsed))
      return { ...ended, status: 'failed', reason };
    const isHeldUp = outcome.attempts !== undefined || attempts >= this.#limits.heldUpAfter;
    return { ...delivery, at: new Date(now + wait).toISOString(), reason, is_held_up: isHeldUp };
  }

  #pause(attempts: number): number {
    const { firstPauseMs, longestPauseMs } = this.#limits;
    const pause = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs);
    return pause * (0.5 + (this.#ports.random ?? Math.random)() / 2);
  }
}

const placeOf = ({ channel, target }: Delivery): string => `${channel}.${target}`;
