import { emptyMap, ownMap } from './empty-map.js';
import type { Acknowledging } from './packet.js';
import { LimitReached } from './violation.js';

/** Carried out now; released while still being carried out; acknowledged by a PUBREC. */
type State = 'asked' | 'released' | 'received';

/**
 * The QoS 2 publishes of a client, from the first PUBLISH to the PUBREL [MQTT-4.3.3-2]: each is carried out once however
 * often it comes, and neither PUBREC nor PUBCOMP is sent before it is stored.
 */
export class Receipts {
  #states: Map<number, State> = emptyMap;
  readonly #limit: number;
  readonly #send: (command: Acknowledging, id: number) => void;

  constructor(limit: number, send: (command: Acknowledging, id: number) => void) {
    this.#limit = limit;
    this.#send = send;
  }

  /**
   * @returns whether the publish is to be carried out
   * @throws LimitReached when there are too many that the client does not release
   */
  begin(id: number): boolean {
    const state = this.#states.get(id);
    if (state === 'received') this.#send('pubrec', id);
    if (state !== undefined) return false;
    if (this.#states.size >= this.#limit) throw new LimitReached('too many QoS 2 publishes not released');
    this.#states = ownMap(this.#states).set(id, 'asked');
    return true;
  }

  /** A publish has been carried out; one that could not be stored is forgotten, so that it may come again. */
  settle(id: number, stored: boolean): void {
    const state = this.#states.get(id);
    this.#states.delete(id);
    if (!stored) return;
    this.#send('pubrec', id);
    if (state === 'released') this.#send('pubcomp', id);
    else this.#states.set(id, 'received');
  }

  /** One that is not known is completed too: its client may have missed the first PUBCOMP. */
  release(id: number): void {
    const state = this.#states.get(id);
    if (state === 'asked' || state === 'released') this.#states.set(id, 'released');
    else {
      this.#states.delete(id);
      this.#send('pubcomp', id);
    }
  }
}
