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
 * for good, or is too old. A server goes on where the one before it was killed, or has ended to lead.
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
  readonly #attempts = new Map<string, Promise<void>>();
  #state: 'new' | 'sending' | 'ended' = 'new';
  #unwatch = (): void => undefined;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#limits = { ...OUTBOX_LIMITS, ...ports.limits };
    this.#clock = ports.clock ?? CLOCK;
  }

  /** Begins to send, and goes on with what is on stable storage. */
  begin(): void {
    const { deliveries } = this.#ports.store;
    this.#state = 'sending';
    this.#unwatch = deliveries.watch((id) => this.#takeUp(deliveries.get(id)));
    for (const delivery of deliveries.all) this.#takeUp(delivery);
  }

  /**
   * Sends a message, unless it was made before. Resolves when it is on stable storage, or cannot be. Where this outbox does
   * not send, the message is for the server that does. @throws StorageUnavailable then
   */
  async add(delivery: Delivery): Promise<void> {
    const { deliveries } = this.#ports.store;
    const unlessMade = (latest: Delivery | undefined): Delivery => latest ?? delivery;
    if (this.#state !== 'sending') {
      await deliveries.change(delivery.id, unlessMade);
      return;
    }
    if (deliveries.get(delivery.id) !== undefined) return;
    if ((await deliveries.keep(delivery.id, unlessMade)) === delivery) this.#schedule(delivery);
    deliveries.forgetOldest(({ status }) => status !== 'waiting', timeOf, PAST_DELIVERIES);
  }

  /** Begins no further attempt. */
  end(): void {
    this.#state = 'ended';
    this.#unwatch();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  /** Resolves when the attempts that are under way have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#attempts.values());
  }

  /** A delivery that another server has made, or was at. */
  #takeUp(delivery: Delivery | undefined): void {
    if (delivery?.status === 'waiting') this.#schedule(delivery);
    if (delivery !== undefined && isInTrouble(delivery)) this.#ports.onFailed(delivery);
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
    if (this.#state === 'ended') return;
    clearTimeout(this.#timers.get(id));
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
    if (delivery?.status !== 'waiting' || this.#state === 'ended' || this.#attempts.has(id)) return;
    const place = placeOf(delivery);
    const quiet = (this.#quietUntil.get(place) ?? 0) - this.#clock.elapsed();
    if (quiet > 0) return this.#wait(id, quiet);
    const busy = this.#busy.get(place) ?? 0;
    if (busy >= this.#limits.atOnce) {
      const queue = this.#queues.get(place) ?? [];
      if (!queue.includes(id)) this.#queues.set(place, [...queue, id]);
      return;
    }
    this.#busy.set(place, busy + 1);
    const attempt = this.#try(delivery).finally(() => {
      this.#attempts.delete(id);
      this.#goOn(id);
      const left = (this.#busy.get(place) ?? 1) - 1;
      if (left === 0) this.#busy.delete(place);
      else this.#busy.set(place, left);
      const next = this.#queues.get(place)?.shift();
      if (next === undefined) this.#queues.delete(place);
      else this.#begin(next);
    });
    this.#attempts.set(id, attempt);
  }

  async #try(waiting: Delivery): Promise<void> {
    const { store, log } = this.#ports;
    const inDoubt = new Date(this.#clock.now() + this.#limits.inDoubtMs).toISOString();
    const delivery = { ...waiting, attempts: waiting.attempts + 1, at: inDoubt };
    const begun = await store.deliveries.keep(waiting.id, (latest) =>
      isAt(waiting, latest) ? delivery : latest,
    );
    // Another server makes this attempt.
    if (begun !== delivery) return;
    const channel = this.#ports.channel(delivery.channel);
    const outcome: Attempt =
      channel === undefined
        ? { kind: 'failed', reason: 'the channel was removed' }
        : await channel.send(delivery.message, delivery.target);
    const after = this.#after(delivery, outcome);
    if (outcome.kind !== 'delivered') {
      const { id, attempts, reason } = after;
      const text = `a message by channel ${delivery.channel} was not delivered: ${reason}`;
      log.warn({ delivery: id, attempts, reason }, text);
    }
    const kept = await store.deliveries.keep(after.id, (latest) => (isAt(delivery, latest) ? after : latest));
    // Another server has begun the next attempt, or makes it.
    if (kept === after && isInTrouble(after) && this.#state === 'sending') await this.#ports.onFailed(after);
  }

  #goOn(id: string): void {
    const delivery = this.#ports.store.deliveries.get(id);
    if (delivery?.status === 'waiting') this.#schedule(delivery);
    else this.#deadlines.delete(id);
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

const isInTrouble = ({ status, is_held_up }: Delivery): boolean => status === 'failed' || is_held_up === true;

/** Whether a delivery still waits after the same attempt. */
const isAt = ({ attempts }: Delivery, latest: Delivery | undefined): boolean =>
  latest?.status === 'waiting' && latest.attempts === attempts;

export const timeOf = ({ message }: Delivery): string => message.at;
