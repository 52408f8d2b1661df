import type { Change } from '../twins/twins.js';

interface Waiting {
  readonly change: Change;
  /** The document was created while its changes waited, so the client does not know it. */
  readonly isNew: boolean;
}

/**
 * The changes of documents, and deletions, on their way to a client. While the client cannot take them, only the last
 * change of each document waits, so a slow client still learns the last state. The twin bounds how many wait: each
 * belongs to a document that exists, or that existed when its changes began to wait.
 */
export class Pushes {
  /** Made when it is needed, because most clients never make a push wait. */
  #waiting: Map<string, Waiting> | undefined;
  readonly #isHeld: () => boolean;
  readonly #send: (change: Change) => void;

  constructor(isHeld: () => boolean, send: (change: Change) => void) {
    this.#isHeld = isHeld;
    this.#send = send;
  }

  /** Sends a change, or lets it wait in place of an earlier change of the same document. */
  offer(change: Change): void {
    const before = this.#waiting?.get(change.name);
    this.#waiting?.delete(change.name);
    if (!this.#isHeld()) return this.#send(change);
    const isCreation = change.document !== undefined && change.version === 1;
    const isNew = before?.isNew ?? isCreation;
    if (isNew && change.document === undefined) return;
    this.#waiting ??= new Map();
    this.#waiting.set(change.name, { change, isNew });
  }

  /** Sends the waiting changes, as far as the client can take them. */
  resume(): void {
    if (this.#waiting === undefined) return;
    for (const [name, { change }] of this.#waiting) {
      if (this.#isHeld()) return;
      this.#waiting.delete(name);
      this.#send(change);
    }
  }
}
