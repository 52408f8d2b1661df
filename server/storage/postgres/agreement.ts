import type { Connection } from './connection.js';
import type { Listener } from './listener.js';
import { AGREE_CHANNEL, NOTIFY } from './statements.js';

/** How long a server waits for the others, in milliseconds. One that is late serves nothing until it has heard. */
const AGREE_MS = 1000;

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
  readonly #server: string;
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
    this.#server = server;
    this.#onError = onError;
    listener.on(AGREE_CHANNEL, ([what, asking = '', number = '', file = '']) => {
      if (what === 'heard' && asking === server) this.#answered(Number(number));
      if (what !== 'ask' || asking === server) return;
      hear(file).then(() => this.#say(`heard ${asking} ${number}`), onError);
    });
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
      const limit = setTimeout(end, AGREE_MS);
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
    this.#connection.run(NOTIFY, [AGREE_CHANNEL, words], performance.now() + AGREE_MS).catch(this.#onError);
  }
}
