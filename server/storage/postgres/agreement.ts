import type { Connection } from './connection.js';
import type { Listener } from './listener.js';
import { AGREE_CHANNEL, NOTIFY } from './statements.js';

/** Times are in milliseconds. */
const AGREE_LIMITS = {
  /** How long a server waits for the others. */
  askingMs: 1000,
  /** A server that has not heard within this time serves nothing until it has. */
  hearingMs: 900,
};

interface Question {
  answers: number;
  readonly end: () => void;
}

/**
 * Asks the other servers whether they have heard of a file, and answers them. `ask <server> <number> <file>` is answered by
 * `heard <server> <number>`. The question is asked after a change is committed, so the others hear of the change first.
 */
export class Agreement {
  readonly #connection: Connection;
  readonly #listener: Listener;
  readonly #server: string;
  readonly #hear: (file: string) => Promise<void>;
  readonly #onError: (error: Error) => void;
  readonly #questions = new Map<number, Question>();
  #number = 0;
  /** How many servers there are, this one included. */
  liveNodes: () => number = () => 1;

  /** @param hear resolves when the watchers have heard what the file is now */
  constructor(
    connection: Connection,
    listener: Listener,
    server: string,
    hear: (file: string) => Promise<void>,
    onError: (error: Error) => void,
  ) {
    this.#connection = connection;
    this.#listener = listener;
    this.#server = server;
    this.#hear = hear;
    this.#onError = onError;
    listener.on(AGREE_CHANNEL, ([what, asking = '', number = '', file = '']) => {
      if (what === 'heard' && asking === server) this.#answered(Number(number));
      if (what === 'ask' && asking !== server) this.#answer(file, `heard ${asking} ${number}`);
    });
  }

  async #answer(file: string, words: string): Promise<void> {
    const late = setTimeout(() => this.#listener.miss(), AGREE_LIMITS.hearingMs).unref();
    try {
      await this.#hear(file);
      this.#say(words);
    } catch (error) {
      this.#listener.miss();
      this.#onError(error as Error);
    } finally {
      clearTimeout(late);
    }
  }

  ask(file: string): Promise<void> {
    if (this.liveNodes() <= 1) return Promise.resolve();
    this.#number += 1;
    const number = this.#number;
    return new Promise((done) => {
      const end = () => {
        clearTimeout(limit);
        this.#questions.delete(number);
        done();
      };
      const limit = setTimeout(end, AGREE_LIMITS.askingMs);
      this.#questions.set(number, { answers: 0, end });
      this.#say(`ask ${this.#server} ${number} ${file}`);
    });
  }

  #answered(number: number): void {
    const question = this.#questions.get(number);
    if (question === undefined) return;
    question.answers += 1;
    if (question.answers >= this.liveNodes() - 1) question.end();
  }

  #say(words: string): void {
    this.#connection
      .run(NOTIFY, [AGREE_CHANNEL, words], performance.now() + AGREE_LIMITS.askingMs)
      .catch(this.#onError);
  }
}
