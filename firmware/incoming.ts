/** Messages that arrive in parts, put together. */

import type { MqttMessageInfo } from './board.js';

/** The longest payload that is taken, in bytes. */
export const LONGEST_PAYLOAD = 4096;

export class Incoming {
  /** Of the message whose last part came, or which is coming. */
  topic = '';
  #payload: ArrayBuffer | undefined;
  #length = 0;
  #begun = false;

  /**
   * Takes the next part; the parts of one message follow each other, and only the first has the topic.
   * @returns the whole payload with its last part, `'too long'` in its place, or undefined while parts are missing
   */
  add(part: ArrayBuffer, { topic, more }: MqttMessageInfo): ArrayBuffer | 'too long' | undefined {
    if (topic !== undefined) this.begin(topic);
    if (!this.#begun) return undefined;
    this.#length += part.byteLength;
    if (this.#length > LONGEST_PAYLOAD) this.#payload = undefined;
    else this.#payload = this.#payload === undefined ? part : joined(this.#payload, part);
    return more ? undefined : this.end();
  }

  /** Forgets what has come of a message: its connection is lost. */
  clear(): void {
    this.end();
  }

  private begin(topic: string): void {
    this.end();
    this.topic = topic;
    this.#begun = true;
  }

  private end(): ArrayBuffer | 'too long' {
    const payload = this.#payload ?? 'too long';
    this.#payload = undefined;
    this.#length = 0;
    this.#begun = false;
    return payload;
  }
}

function joined(a: ArrayBuffer, b: ArrayBuffer): ArrayBuffer {
  const whole = new Uint8Array(a.byteLength + b.byteLength);
  whole.set(new Uint8Array(a));
  whole.set(new Uint8Array(b), a.byteLength);
  return whole.buffer;
}
