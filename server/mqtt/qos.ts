/** The exchanges of QoS 1 and 2 in both directions (MQTT 3.1.1, 4.3). They end with the connection. */

import { WORK } from '../work.js';
import {
  type Acknowledgement,
  type Acknowledging,
  LimitReached,
  ProtocolViolation,
  type QoS,
} from './packet.js';

const LAST_ID = 0xffff;

type Awaited = 'puback' | 'pubrec' | 'pubcomp';

/**
 * The server's messages of QoS 1 and 2 that the client has not acknowledged. Only their packet ids are kept, because
 * the server never sends a message again [MQTT-4.4.0-1].
 */
export class SentMessages {
  /** Made when it is needed, because most connections have no such messages. */
  #awaited: Map<number, Awaited> | undefined;
  readonly #limit: () => number;
  readonly #spend: (work: number) => void;
  #last = 0;

  /**
   * @param limit the number of messages. There are only 65,535 packet ids.
   * @param spend hears the work of finding a packet id, as `work.ts` counts it
   */
  constructor(limit: () => number, spend: (work: number) => void) {
    this.#limit = limit;
    this.#spend = spend;
  }

  get size(): number {
    return this.#awaited?.size ?? 0;
  }

  /** A packet id that is not in use [MQTT-2.3.1-4], or undefined when there are too many unacknowledged messages. */
  begin(qos: Exclude<QoS, 0>): number | undefined {
    this.#awaited ??= new Map();
    if (this.#awaited.size >= Math.min(this.#limit(), LAST_ID)) return undefined;
    let used = -1;
    do {
      this.#last = this.#last === LAST_ID ? 1 : this.#last + 1;
      used += 1;
    } while (this.#awaited.has(this.#last));
    if (used > 0) this.#spend(used * WORK.usedId);
    this.#awaited.set(this.#last, qos === 1 ? 'puback' : 'pubrec');
    return this.#last;
  }

  /**
   * Ignores an acknowledgement of an unknown message. A repeated PUBREC is answered again.
   * @returns whether a PUBREL must be sent [MQTT-4.3.3-1]
   * @throws ProtocolViolation when the message awaits an acknowledgement of another kind
   */
  acknowledge({ command, id }: Acknowledgement): boolean {
    const awaited = this.#awaited?.get(id);
    if (awaited === undefined) return false;
    if (command === 'pubrec' && awaited !== 'puback') {
      this.#awaited?.set(id, 'pubcomp');
      return true;
    }
    if (command !== awaited) {
      const [came, due] = [command.toUpperCase(), awaited.toUpperCase()];
      throw new ProtocolViolation(`a ${came} where a ${due} is awaited [MQTT-4.8.0-1]`);
    }
    this.#awaited?.delete(id);
    return false;
  }
}

/** `asked`: being carried out. `released`: the same, and its PUBREL has come. `received`: the PUBREC was sent. */
type State = 'asked' | 'released' | 'received';

/**
 * The client's QoS 2 publishes, from the first PUBLISH to the PUBREL [MQTT-4.3.3-2]. Each is carried out once, even
 * when the client repeats it. PUBREC and PUBCOMP are sent after it is stored.
 */
export class ReceivedMessages {
  /** Made when it is needed, as above. */
  #states: Map<number, State> | undefined;
  readonly #limit: () => number;
  readonly #send: (command: Acknowledging, id: number) => void;

  constructor(limit: () => number, send: (command: Acknowledging, id: number) => void) {
    this.#limit = limit;
    this.#send = send;
  }

  /**
   * @returns whether the publish must be carried out
   * @throws LimitReached when the client has too many that it does not release
   */
  begin(id: number): boolean {
    this.#states ??= new Map();
    const state = this.#states.get(id);
    if (state === 'received') this.#send('pubrec', id);
    if (state !== undefined) return false;
    if (this.#states.size >= this.#limit()) throw new LimitReached('too many QoS 2 publishes not released');
    this.#states.set(id, 'asked');
    return true;
  }

  /** A publish was carried out. When it could not be stored it is forgotten, so that the client can repeat it. */
  settle(id: number, isStored: boolean): void {
    const state = this.#states?.get(id);
    this.#states?.delete(id);
    if (!isStored) return;
    this.#send('pubrec', id);
    if (state === 'released') this.#send('pubcomp', id);
    else this.#states?.set(id, 'received');
  }

  /** Answers a PUBREL of an unknown id too, because its client may have missed the first PUBCOMP. */
  release(id: number): void {
    const state = this.#states?.get(id);
    if (state === 'asked' || state === 'released') this.#states?.set(id, 'released');
    else {
      this.#states?.delete(id);
      this.#send('pubcomp', id);
    }
  }
}
