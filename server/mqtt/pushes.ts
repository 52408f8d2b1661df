import type { Document } from '../twins/document.js';
import { emptyMap, ownMap } from './empty-map.js';

/**
 * The new states of documents on their way to a client. While it cannot take them only the newest of each document
 * waits, so what waits is bounded by the twin itself and a slow client still learns the last state.
 */
export class Pushes {
  #waiting: Map<string, Document> = emptyMap;
  readonly #isHeld: () => boolean;
  readonly #send: (document: Document) => void;

  constructor(isHeld: () => boolean, send: (document: Document) => void) {
    this.#isHeld = isHeld;
    this.#send = send;
  }

  offer(document: Document): void {
    this.#waiting.delete(document.name);
    if (this.#isHeld()) this.#waiting = ownMap(this.#waiting).set(document.name, document);
    else this.#send(document);
  }

  /** The document is gone: there is no state to tell. */
  forget(name: string): void {
    this.#waiting.delete(name);
  }

  /** Sends what waited, as far as the client can take it. */
  resume(): void {
    for (const [name, document] of this.#waiting) {
      if (this.#isHeld()) return;
      this.#waiting.delete(name);
      this.#send(document);
    }
  }
}
