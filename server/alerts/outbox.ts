import type { Logger } from 'pino';
import type { Attempt, Channel } from './channels/channel.js';
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
  /** Attempts of one channel at the same time. The others wait, and delay no other channel. */
  atOnce: 8,
};

interface Ports {
  readonly store: Pick<AlertStore, 'deliveries'>;
  /** The channel of an id; undefined when the owner has removed it. */
  readonly channel: (id: string) => Channel | undefined;
  /** A message has failed for good. */
  readonly onFailed: (delivery: Delivery) => Promise<void>;
  readonly log: Logger;
  readonly now?: () => number;
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
  readonly #now: () => number;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** How many attempts each channel has under way, and which deliveries wait for one to end. */
  readonly #busy = new Map<string, number>();
  readonly #queues = new Map<string, string[]>();
  readonly #attempts = new Set<Promise<void>>();
  #isClosed = false;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#limits = { ...OUTBOX_LIMITS, ...ports.limits };
    this.#now = ports.now ?? Date.now;
  }

  /** Goes on with what waits on stable storage. */
  begin(): void {
    for (const delivery of this.#ports.store.deliveries.all) {
      if (delivery.status === 'waiting') this.#schedule(delivery);
    }
  }

  /** Sends a message, unless it was made before. Resolves when it is on stable storage, or cannot be. */
  async add(delivery: Delivery): Promise<void> {
    if (this.#ports.store.deliveries.get(delivery.id) !== undefined) return;
    await this.#keep(delivery);
    this.#schedule(delivery);
    this.#forgetOldest();
  }

  /** Makes no further attempt. Resolves when the present ones have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#attempts);
  }

  #schedule({ id, at }: Delivery): void {
    if (this.#isClosed) return;
    const wait = Math.min(Math.max(0, Date.parse(at) - this.#now()), this.#limits.tryMs);
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        this.#begin(id);
      }, wait),
    );
  }

  #begin(id: string): void {
    const delivery = this.#ports.store.deliveries.get(id);
    if (delivery?.status !== 'waiting' || this.#isClosed) return;
    const { channel } = delivery;
    const busy = this.#busy.get(channel) ?? 0;
    if (busy >= this.#limits.atOnce) {
      this.#queues.set(channel, [...(this.#queues.get(channel) ?? []), id]);
      return;
    }
    this.#busy.set(channel, busy + 1);
    const attempt = this.#try(delivery).finally(() => {
      this.#attempts.delete(attempt);
      this.#busy.set(channel, (this.#busy.get(channel) ?? 1) - 1);
      const next = this.#queues.get(channel)?.shift();
      if (next !== undefined) this.#begin(next);
    });
    this.#attempts.add(attempt);
  }

  async #try(waiting: Delivery): Promise<void> {
    const inDoubt = new Date(this.#now() + this.#limits.inDoubtMs).toISOString();
    const delivery = { ...waiting, attempts: waiting.attempts + 1, at: inDoubt };
    await this.#keep(delivery);
    const channel = this.#ports.channel(delivery.channel);
    const outcome: Attempt =
      channel === undefined
        ? { kind: 'failed', reason: 'the channel was removed' }
        : await channel.send(delivery.message, delivery.target);
    const after = this.#after(delivery, outcome);
    if (outcome.kind !== 'delivered') {
      const { id, attempts, reason } = after;
      this.#ports.log.warn({ delivery: id, attempts, reason }, 'a message was not delivered');
    }
    await this.#keep(after);
    if (after.status === 'waiting') this.#schedule(after);
    if (after.status === 'failed') await this.#ports.onFailed(after);
  }

  #after(delivery: Delivery, outcome: Attempt): Delivery {
    const now = this.#now();
    const ended = { ...delivery, at: new Date(now).toISOString() };
    if (outcome.kind === 'delivered') return { ...ended, status: 'delivered', reason: null };
    const { reason } = outcome;
    if (outcome.kind !== 'again') return { ...ended, status: 'failed', reason };
    const next = now + Math.max(this.#pause(delivery.attempts), outcome.afterMs ?? 0);
    if (next > Date.parse(delivery.message.at) + this.#limits.tryMs)
      return { ...ended, status: 'failed', reason };
    return { ...delivery, at: new Date(next).toISOString(), reason };
  }

  #pause(attempts: number): number {
    const { firstPauseMs, longestPauseMs } = this.#limits;
    const pause = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs);
    return pause * (0.5 + (this.#ports.random ?? Math.random)() / 2);
  }

  /** When the disk takes no writes, the message is sent all the same. */
  async #keep(delivery: Delivery): Promise<void> {
    try {
      await this.#ports.store.deliveries.put(delivery);
    } catch (error) {
      this.#ports.log.error({ err: error, delivery: delivery.id }, 'a message could not be kept');
    }
  }

  #forgetOldest(): void {
    const { deliveries } = this.#ports.store;
    const ended = deliveries.all.filter(({ status }) => status !== 'waiting');
    for (const { id } of ended.slice(0, Math.max(0, ended.length - PAST_DELIVERIES))) {
      deliveries.remove(id).catch(() => undefined);
    }
  }
}
