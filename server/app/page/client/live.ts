/** The one live connection of the app. It follows one panel and connects again by itself. */

import { createParser } from 'eventsource-parser';
import { BackOff, type Waits } from '../../../../shared/backoff.js';
import type { Link } from '../state/app.js';
import type { Fault } from '../state/fault.js';
import { Failed } from './api.js';

/** Opens the events of a panel and gets them. */
export interface EventReader extends Waits {
  /** Opens the events of a panel. @throws Failed */
  readonly open: (id: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  readonly onLink: (kind: Link['kind']) => void;
  readonly onEvent: (id: string, kind: string | undefined, data: string) => void;
  /** The server refuses, and another try would not help. There is none. */
  readonly onRefused: (fault: Fault) => void;
  /** A connection on which nothing came for so long is dead; milliseconds. The server sends something every 15 s. */
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

  /** The phone woke, or its network is back: a connection that may be dead is made again at once. */
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
  #heardAt = 0;
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
    if (Date.now() - this.#heardAt > this.#reader.silenceMs / 2) this.#connection.abort();
    this.#goOn();
  }

  async #run(id: string): Promise<void> {
    while (!this.#isOver) {
      const fault = await this.#connect(id);
      if (this.#isOver) return;
      if (fault !== undefined && FINAL.includes(fault)) return this.#reader.onRefused(fault);
      if (fault !== undefined) this.#reader.onLink('lost');
      await this.#wait(this.#backOff.next());
    }
  }

  /** Resolves when the connection has ended: with the fault when there was none, or with undefined when there was one. */
  async #connect(id: string): Promise<Fault | undefined> {
    const { open, onLink, onEvent } = this.#reader;
    this.#connection = new AbortController();
    onLink('connecting');
    this.#heard();
    let beganAt: number | undefined;
    try {
      const stream = await open(id, this.#connection.signal);
      if (this.#isOver) return undefined;
      beganAt = Date.now();
      onLink('live');
      await this.#read(stream, ({ event, data }) => onEvent(id, event, data));
      return undefined;
    } catch (error) {
      if (beganAt === undefined) return error instanceof Failed ? error.fault : 'server-away';
      return undefined;
    } finally {
      clearTimeout(this.#silence);
      this.#connection.abort();
      if (beganAt !== undefined) this.#backOff.stood(Date.now() - beganAt);
    }
  }

  async #read(
    stream: ReadableStream<Uint8Array>,
    onEvent: (message: { event?: string | undefined; data: string }) => void,
  ): Promise<void> {
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

  #heard(): void {
    this.#heardAt = Date.now();
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#connection.abort(), this.#reader.silenceMs);
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
