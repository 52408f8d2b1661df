/** The in-band requests of a device on its own twin: how they are carried out, and what their answers say. */

import { StorageUnavailable } from '../storage/storage.js';
import { type Document, parseRequest } from '../twins/document.js';
import {
  DocumentNotFound,
  DocumentTooLarge,
  InvalidName,
  InvalidRequest,
  VersionMismatch,
} from '../twins/errors.js';
import type { Answer, Twins } from '../twins/twins.js';
import type { QoS } from './packet.js';
import type { Request } from './topics.js';

/** The device asks more than it may, and this request was not done. */
export class TooManyRequests extends Error {
  override name = 'TooManyRequests';
  constructor() {
    super('too many requests');
  }
}

/**
 * Asks the twin for what a request and its payload say. A delete is answered without a document.
 * @param origin the session that asks, so that it is not told of its own change
 * @throws InvalidRequest for a payload that a put or a patch cannot have; then nothing is answered
 */
export function carryOut(
  twins: Twins,
  deviceId: string,
  { action, document: name }: Pick<Request, 'action' | 'document'>,
  payload: Buffer,
  answer: Answer<Document>,
  origin: unknown,
): void {
  switch (action) {
    case 'get':
      return twins.get(deviceId, name, answer);
    case 'put':
    case 'patch':
      return twins[action](deviceId, name, parseRequest(payload), answer, origin);
    case 'delete':
      return twins.delete(deviceId, name, (error) => answer(error), origin);
  }
}

/** The payload of a success. Of a deleted document there is only its name. */
export const successText = (deviceId: string, name: string, document: Document | undefined): string =>
  document === undefined ? JSON.stringify({ twin_id: deviceId, document_name: name }) : document.json;

/** The payload of a push that tells of a deletion. @param version the last one that the document had */
export const deletedText = (deviceId: string, name: string, version: number): string =>
  JSON.stringify({ twin_id: deviceId, document_name: name, version });

export interface Failure {
  /** The `error` that the device is told. */
  readonly text: string;
  /** Whether the request is acknowledged. One that might succeed later is not. */
  readonly isAcknowledged: boolean;
  /** A fault of the server itself, which its owner should know. */
  readonly isInternal: boolean;
}

const own = (error: Error): string => error.message;

/** The errors that a device is told, by class; the first row that fits counts. */
const FAILURES: readonly [
  of: abstract new (...given: never[]) => Error,
  text: (error: Error) => string,
  isAcknowledged: boolean,
][] = [
  [DocumentNotFound, own, true],
  [VersionMismatch, own, true],
  [InvalidName, own, true],
  [DocumentTooLarge, own, true],
  [InvalidRequest, ({ message }) => `invalid payload: ${message}`, true],
  [StorageUnavailable, () => 'storage unavailable', false],
  [TooManyRequests, own, false],
];

/** Any other error: its own text is for the server's log only. */
const INTERNAL: Failure = { text: 'internal error', isAcknowledged: false, isInternal: true };

export function failureOf(error: Error): Failure {
  const row = FAILURES.find(([of]) => error instanceof of);
  if (row === undefined) return INTERNAL;
  const [, text, isAcknowledged] = row;
  return { text: text(error), isAcknowledged, isInternal: false };
}

/** The payload of an error: `{"error","twin_id","document_name"}`, and both versions for a version mismatch. */
export function errorText(deviceId: string, name: string, text: string, error: Error): string {
  const answer = { error: text, twin_id: deviceId, document_name: name };
  if (!(error instanceof VersionMismatch)) return JSON.stringify(answer);
  return JSON.stringify({ ...answer, expected_version: error.expected, actual_version: error.actual });
}

/** A publish that has been received and not answered. */
export interface Pending {
  readonly qos: QoS;
  readonly id: number;
  /** Of its payload, in bytes. */
  readonly length: number;
  /** Undefined for a publish that asks for nothing: it is acknowledged and dropped. */
  readonly request: Request | undefined;
  /** The QoS of either answer; undefined where no subscription matched when the request came. */
  readonly successQos: QoS | undefined;
  readonly errorQos: QoS | undefined;
  isSettled: boolean;
  error: Error | null;
  document: Document | undefined;
}

/**
 * The publishes of one connection, answered in the order in which they came [MQTT-4.6.0-2] [MQTT-4.6.0-3], in whatever
 * order they are settled.
 */
export class PendingRequests {
  readonly #pending: Pending[] = [];
  #bytes = 0;
  readonly #answer: (pending: Pending) => void;

  constructor(answer: (pending: Pending) => void) {
    this.#answer = answer;
  }

  get size(): number {
    return this.#pending.length;
  }

  /** The length of all payloads that are not answered. */
  get bytes(): number {
    return this.#bytes;
  }

  add(pending: Pending): void {
    this.#bytes += pending.length;
    this.#pending.push(pending);
  }

  settle(pending: Pending, error: Error | null, document: Document | undefined): void {
    pending.isSettled = true;
    pending.error = error;
    pending.document = document;
    while (this.#pending[0]?.isSettled === true) {
      const first = this.#pending.shift();
      if (first === undefined) return;
      this.#bytes -= first.length;
      this.#answer(first);
    }
  }
}
