/** The one live connection of the app. It follows one panel and connects again by itself. */

import { BackOff, type Waits } from '../../../../shared/backoff.js';
import type { Link } from '../state/app.js';
import type { Fault } from '../state/fault.js';
import { Failed } from './api.js';
import { PAUSES } from './pauses.js';

/** Opens the events of a panel and gets them. */
export interface EventReader extends Waits {
  /** Opens the events of a panel. @throws Failed */
  readonly open: (id: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  /** @param retryAt when the next try is, by this phone's clock; absent while one is under way */
  readonly onLink: (kind: Link['kind'], at: number, retryAt?: number) => void;
  readonly onEvent: (id: string, kind: string | undefined, data: string) => void;
  /** The server refuses, and another try would not help. There is none. */
  readonly onRefused: (fault: Fault) => void;
  /** The longest wait before the next try, as it is now; milliseconds. */
  readonly longestWait: () => number;
  /** A try that is not answered after so long has failed; milliseconds. */
  readonly answerMs: number;
  /** A connection on which nothing came for so long is dead; milliseconds. */
  readonly silenceMs: number;
}

/** Faults that another try does not help against. */
const FINAL: readonly Fault[] = ['revoked', 'expired', 'not-allowed', 'panel-unknown'];

export class Live {
  readonly #reader: EventReader;
  #id: string | undefined;
  #following: Following | undefined;

  constructor(reader: EventReader) {
    this.#reader = reader;
  }

  /** Follows this panel from now on and no other; with undefined, none. */
  follow(id: string | undefined): void {
    if (id === this.#id) return;
    this.#id = id;
    this.#following?.end();
    this.#following = id === undefined ? undefined : new Following(id, this.#reader);
  }

  /** The phone woke, its network is back, or a person wants it: a connection that may be dead is made again at once. */
  wake(): void {
    this.#following?.wake();
  }
}

class Following {
  readonly #reader: EventReader;
  readonly #backOff: BackOff;
  #isOver = false;
  #connection = new AbortController();
  #silence: ReturnType<typeof setTimeout> | undefined;
  #isOpen = false;
  #heardAt = Date.now();
  #goOn: () => void = () => {};

  constructor(id: string, reader: EventReader) {
    this.#reader = reader;
    this.#backOff = new BackOff(reader, Math.random);
    this.#run(id);
  }

  end(): void {
    this.#isOver = true;
    this.#connection.abort();
    this.#goOn();
  }

  wake(): void {
    // On a good connection something came within half of this time.
    const patience = this.#isOpen ? this.#reader.silenceMs / 2 : PAUSES.stale;
    if (Date.now() - this.#heardAt > patience) this.#connection.abort();
    this.#goOn();
  }

  async #run(id: string): Promise<void> {
    while (!this.#isOver) {
      const fault = await this.#connect(id);
      if (this.#isOver) return;
      if (fault !== undefined && FINAL.includes(fault)) return this.#reader.onRefused(fault);
      const wait = Math.min(this.#backOff.next(), this.#reader.longestWait());
      if (fault !== undefined) this.#reader.onLink('lost', Date.now(), Date.now() + wait);
      await this.#wait(wait);
    }
  }

  /** Resolves when the connection has ended: with the fault when there was none, or with undefined when there was one. */
  async #connect(id: string): Promise<Fault | undefined> {
    const { open, onLink, onEvent } = this.#reader;
    this.#connection = new AbortController();
    // What came last was true then, and perhaps no longer.
    onLink('connecting', this.#heardAt);
    this.#heard(this.#reader.answerMs);
    let beganAt: number | undefined;
    try {
      const stream = await open(id, this.#connection.signal);
      if (this.#isOver) return undefined;
      beganAt = Date.now();
      this.#isOpen = true;
      onLink('live', beganAt);
      await this.#read(stream, ({ event, data }) => onEvent(id, event, data));
      return undefined;
    } catch (error) {
      if (beganAt === undefined) return error instanceof Failed ? error.fault : 'server-away';
      return undefined;
    } finally {
      clearTimeout(this.#silence);
      this.#connection.abort();
      this.#isOpen = false;
      if (beganAt !== undefined) this.#backOff.stood(Date.now() - beganAt);
    }
  }

  async #read(
    stream: ReadableStream<Uint8Array>,
    onEvent: (message: { event?: string | undefined; data: string }) => void,
  ): Promise<void> {
    // The first screen does without it.
    const { createParser } = await import('eventsource-parser');
    const parser = createParser({ onEvent });
    const decoder = new TextDecoder();
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#isOver) return;
      this.#heard();
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  #heard(patience = this.#reader.silenceMs): void {
    this.#heardAt = Date.now();
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#connection.abort(), patience);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
