/** The exchanges of QoS 1 and 2, each way (MQTT 3.1.1, 4.3). Without stored sessions they end with the connection. */

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
 * nothing is ever sent again [MQTT-4.4.0-1].
 */
export class SentMessages {
  /** Made when it is needed: most connections have none, and a map costs more than a packet. */
  #awaited: Map<number, Awaited> | undefined;
  readonly #limit: number;
  #last = 0;

  /** @param limit messages; there are no more than 65,535 packet ids */
  constructor(limit: number) {
    this.#limit = Math.min(limit, LAST_ID);
  }

  get size(): number {
    return this.#awaited?.size ?? 0;
  }

  /** A packet id that is not in use [MQTT-2.3.1-4], or undefined when there are too many unacknowledged messages. */
  begin(qos: Exclude<QoS, 0>): number | undefined {
    this.#awaited ??= new Map();
    if (this.#awaited.size >= this.#limit) return undefined;
    do this.#last = this.#last === LAST_ID ? 1 : this.#last + 1;
    while (this.#awaited.has(this.#last));
    this.#awaited.set(this.#last, qos === 1 ? 'puback' : 'pubrec');
    return this.#last;
  }

  /**
   * An acknowledgement of a message that is not under way is ignored, and a PUBREC that is repeated is answered again.
   * @returns whether a PUBREL is due [MQTT-4.3.3-1]
   * @throws ProtocolViolation for an acknowledgement of another kind than the message awaits
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

/** Being carried out; released by its client meanwhile; acknowledged by a PUBREC. */
type State = 'asked' | 'released' | 'received';

/**
 * The client's QoS 2 publishes, from the first PUBLISH to the PUBREL [MQTT-4.3.3-2]. Each is carried out once, however
 * often it comes, and neither PUBREC nor PUBCOMP is sent before it is stored.
 */
export class ReceivedMessages {
  /** Made when it is needed, as in SentMessages. */
  #states: Map<number, State> | undefined;
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
    this.#states ??= new Map();
    const state = this.#states.get(id);
    if (state === 'received') this.#send('pubrec', id);
    if (state !== undefined) return false;
    if (this.#states.size >= this.#limit) throw new LimitReached('too many QoS 2 publishes not released');
    this.#states.set(id, 'asked');
    return true;
  }

  /** A publish has been carried out. One that could not be stored is forgotten, so that it may come again. */
  settle(id: number, isStored: boolean): void {
    const state = this.#states?.get(id);
    this.#states?.delete(id);
    if (!isStored) return;
    this.#send('pubrec', id);
    if (state === 'released') this.#send('pubcomp', id);
    else this.#states?.set(id, 'received');
  }

  /** A PUBREL of an unknown id is completed too: its client may have missed the first PUBCOMP. */
  release(id: number): void {
    const state = this.#states?.get(id);
    if (state === 'asked' || state === 'released') this.#states?.set(id, 'released');
    else {
      this.#states?.delete(id);
      this.#send('pubcomp', id);
    }
  }
}
