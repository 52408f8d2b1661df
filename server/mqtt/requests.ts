import type { Document } from '../twins/document.js';
import type { QoS } from './packet.js';
import type { Request } from './topics.js';

/** A publish that has been received and not answered. */
export interface Pending {
  readonly qos: QoS;
  readonly id: number;
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
  readonly #answer: (pending: Pending) => void;

  constructor(answer: (pending: Pending) => void) {
    this.#answer = answer;
  }

  get size(): number {
    return this.#pending.length;
  }

  add(pending: Pending): void {
    this.#pending.push(pending);
  }

  settle(pending: Pending, error: Error | null, document: Document | undefined): void {
    pending.settled = true;
    pending.error = error;
    pending.document = document;
    while (this.#pending[0]?.settled === true) {
      const first = this.#pending.shift();
      if (first !== undefined) this.#answer(first);
    }
  }
}
