/** Puts messages together that arrive in parts. */

import type { MqttMessageInfo } from './board.js';

/** The longest payload that is taken, in bytes. */
export const LONGEST_PAYLOAD = 4096;

export class Incoming {
  /** Of the message whose last part came, or which is coming. */
  topic = '';
  private payload: ArrayBuffer | undefined;

  /**
   * Takes the next part; the parts of one message follow each other, and only the first has the topic.
   * @returns the payload with its last part, and undefined while parts are missing. Of one that is too long the first
   * bytes, so many that it still is
   */
  add(part: ArrayBuffer, { topic, more }: MqttMessageInfo): ArrayBuffer | undefined {
    if (topic !== undefined) {
      this.topic = topic;
      this.payload = part;
    } else if (this.payload !== undefined && this.payload.byteLength <= LONGEST_PAYLOAD) {
      this.payload = joined(this.payload, part);
    }
    if (more) return undefined;
    const payload = this.payload;
    this.clear();
    return payload;
  }

  /** Forgets what has come of a message: its connection is lost. */
  clear(): void {
    this.payload = undefined;
  }
}

function joined(a: ArrayBuffer, b: ArrayBuffer): ArrayBuffer {
  const whole = new Uint8Array(a.byteLength + b.byteLength);
  whole.set(new Uint8Array(a));
  whole.set(new Uint8Array(b), a.byteLength);
  return whole.buffer;
}
