import { emptyMap, ownMap } from './empty-map.js';
import type { Acknowledgement, QoS } from './packet.js';

const LAST_ID = 0xffff;

type Awaited = 'puback' | 'pubrec' | 'pubcomp';

/**
 * The messages of QoS 1 and 2 that the client has not acknowledged. Only their packet ids are kept: without stored
 * sessions nothing is ever sent again [MQTT-4.4.0-1].
 */
export class Deliveries {
  #awaited: Map<number, Awaited> = emptyMap;
  readonly #limit: number;
  #last = 0;

  /** @param limit messages, at most 65,535: there are no more packet ids */
  constructor(limit: number) {
    this.#limit = Math.min(limit, LAST_ID);
  }

  get size(): number {
    return this.#awaited.size;
  }

  /** A packet id that is not in use [MQTT-2.3.1-4], or undefined when there are too many unacknowledged messages. */
  begin(qos: Exclude<QoS, 0>): number | undefined {
    if (this.#awaited.size >= this.#limit) return undefined;
    do this.#last = this.#last === LAST_ID ? 1 : this.#last + 1;
    while (this.#awaited.has(this.#last));
    this.#awaited = ownMap(this.#awaited).set(this.#last, qos === 1 ? 'puback' : 'pubrec');
    return this.#last;
  }

  /** @returns whether a PUBREL is due [MQTT-4.3.3-1]. An acknowledgement of nothing is ignored. */
  acknowledge({ command, id }: Acknowledgement): boolean {
    const awaited = this.#awaited.get(id);
    if (command === 'pubrec' && (awaited === 'pubrec' || awaited === 'pubcomp')) {
      this.#awaited.set(id, 'pubcomp');
      return true;
    }
    if (command === awaited) this.#awaited.delete(id);
    return false;
  }
}
