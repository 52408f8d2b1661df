import type { Document } from '../twins/document.js';
import type { QoS } from './packet.js';
import type { Request } from './topics.js';

/** A publish that has been received and not answered. */
export interface Pending {
  readonly qos: QoS;
  readonly id: number;
  /** Of its payload, in bytes. */
  readonly length: number;
  /** Undefined for a publish that asks for nothing: it is acknowledged and dropped. */
  readonly request: Request | undefined;
  /** The QoS of the one answer and of the other; undefined where no subscription matched when the request came. */
  readonly successQos: QoS | undefined;
  readonly errorQos: QoS | undefined;
  settled: boolean;
  error: Error | null;
  document: Document | undefined;
}

/**
 * The publishes of one connection, answered in the order in which they came [MQTT-4.6.0-2] [MQTT-4.6.0-3], in
 * whatever order they are settled.
 */
export class Requests {
  readonly #pending: Pending[] = [];
  #bytes = 0;
  readonly #answer: (pending: Pending) => void;

  constructor(answer: (pending: Pending) => void) {
    this.#answer = answer;
  }

  get size(): number {
    return this.#pending.length;
  }

  /** The payloads that are not answered. */
  get bytes(): number {
    return this.#bytes;
  }

  add(pending: Pending): void {
    this.#bytes += pending.length;
    this.#pending.push(pending);
  }

  settle(pending: Pending, error: Error | null, document: Document | undefined): void {
    pending.settled = true;
    pending.error = error;
    pending.document = document;
    while (this.#pending[0]?.settled === true) {
      const first = this.#pending.shift();
      if (first === undefined) return;
      this.#bytes -= first.length;
      this.#answer(first);
    }
  }
}
