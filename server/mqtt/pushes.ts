import type { Document } from '../twins/document.js';

/**
 * The new states of documents on their way to a client. While the client cannot take them only the newest of each document
 * waits, so the twin itself bounds what waits, and a slow client still learns the last state.
 */
export class Pushes {
  /** Made when it is needed: most clients never make a push wait. */
  #waiting: Map<string, Document> | undefined;
  readonly #isHeld: () => boolean;
  readonly #send: (document: Document) => void;

  constructor(isHeld: () => boolean, send: (document: Document) => void) {
    this.#isHeld = isHeld;
    this.#send = send;
  }

  offer(document: Document): void {
    this.#waiting?.delete(document.name);
    if (!this.#isHeld()) return this.#send(document);
    this.#waiting ??= new Map();
    this.#waiting.set(document.name, document);
  }

  /** The document was deleted, so there is no state to tell. */
  forget(name: string): void {
    this.#waiting?.delete(name);
  }

  /** Sends what waited, as far as the client can take it. */
  resume(): void {
    if (this.#waiting === undefined) return;
    for (const [name, document] of this.#waiting) {
      if (this.#isHeld()) return;
      this.#waiting.delete(name);
      this.#send(document);
    }
  }
}
