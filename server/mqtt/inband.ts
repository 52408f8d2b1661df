/**
 * The in-band protocol of one device: its topics and subscriptions, how a request on its own twin is carried out, and what
 * the answer says.
 */

import {
  type Action,
  changedTopic,
  deletedTopic,
  type Outcome,
  parseRequestTopic,
  ROOT,
  responseTopic,
  topicMatches,
} from '../../shared/topics.js';
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
import { topicField } from './output.js';
import { type QoS, REFUSED } from './packet.js';

/** Where a message goes: its topic name, and the same as a PUBLISH carries it. */
export interface Destination {
  readonly topic: string;
  readonly field: Buffer;
}

/** What a publish on an in-band topic asks for, and where its answer goes. */
export interface Request {
  readonly document: string;
  readonly action: Action;
  readonly success: Destination;
  readonly error: Destination;
}

/** How many topics a connection remembers; a twin has 64 documents and a document four actions. */
const REMEMBERED_TOPICS = 256;
/** In UTF-16 units. Longer topics name no document, so remembering them would only cost memory. */
const REMEMBERED_LENGTH = 256;
/** In bytes. A document name of that length is never valid, and the answer would carry it twice. */
const LONGEST_REQUEST = 4096;

/** The in-band topics of one device, each worked out once. */
export class OwnTopics {
  readonly #deviceId: string;
  readonly #requests = new Map<string, Request>();
  /** Made when it is needed: most devices are never told of a change. */
  #changed: Map<string, readonly Destination[]> | undefined;

  constructor(deviceId: string) {
    this.#deviceId = deviceId;
  }

  /** The request that a valid topic name stands for; undefined when it is none, or not for the device's own twin. */
  request(topic: string): Request | undefined {
    const known = this.#requests.get(topic);
    if (known !== undefined) return known;
    if (Buffer.byteLength(topic) > LONGEST_REQUEST) return undefined;
    const parsed = parseRequestTopic(topic);
    if (parsed === undefined || (parsed.twin !== 'me' && parsed.twin !== this.#deviceId)) return undefined;
    const { twin, document, action } = parsed;
    const to = (outcome: Outcome) => destination(responseTopic(document, action, outcome, twin));
    const request = { document, action, success: to('success'), error: to('error') };
    return topic.length > REMEMBERED_LENGTH ? request : remember(this.#requests, topic, request);
  }

  /** Where a document's new state goes: below `me` and below the device's id. */
  changed(document: string): readonly Destination[] {
    this.#changed ??= new Map();
    const known = this.#changed.get(document);
    if (known !== undefined) return known;
    return remember(this.#changed, document, this.#onBothPrefixes(changedTopic, document));
  }

  /** Where the deletion of a document is told. */
  deleted(document: string): readonly Destination[] {
    return this.#onBothPrefixes(deletedTopic, document);
  }

  #onBothPrefixes(topicOf: typeof changedTopic, document: string): readonly Destination[] {
    return ['me', this.#deviceId].map((twin) => destination(topicOf(document, twin)));
  }
}

const destination = (topic: string): Destination => ({ topic, field: topicField(topic) });

/** In UTF-16 units. No topic of a device is as long, and a longer filter costs memory, and time at every publish. */
const LONGEST_FILTER = 256;

/** What one connection has subscribed to: nothing outside the device's own twin. */
export class Subscriptions {
  readonly #own: readonly string[];
  readonly #limit: number;
  readonly #filters = new Map<string, QoS>();
  readonly #remembered = new Map<string, QoS | undefined>();

  /** @param limit filters */
  constructor(deviceId: string, limit: number) {
    this.#own = [`${ROOT}/me/`, `${ROOT}/${deviceId}/`];
    this.#limit = limit;
  }

  /**
   * Adds a well-formed filter or changes its QoS [MQTT-3.8.4-3].
   * @returns the code for the SUBACK: the QoS, or 0x80 for a filter outside the own twin, one too many or a very long one
   */
  add(filter: string, qos: QoS): number {
    if (!this.isOwn(filter) || filter.length > LONGEST_FILTER) return REFUSED;
    if (!this.#filters.has(filter) && this.#filters.size >= this.#limit) return REFUSED;
    this.#filters.set(filter, qos);
    this.#remembered.clear();
    return qos;
  }

  /** Whether a filter can match nothing outside the own twin. */
  isOwn(filter: string): boolean {
    return this.#own.some((twin) => filter.startsWith(twin));
  }

  remove(filter: string): void {
    this.#filters.delete(filter);
    this.#remembered.clear();
  }

  /** The highest QoS of the filters that match a topic name [MQTT-3.3.5-1]; undefined when none does. */
  qosOf(topic: string): QoS | undefined {
    const known = this.#remembered.get(topic);
    if (known !== undefined || this.#remembered.has(topic)) return known;
    let highest: QoS | undefined;
    for (const [filter, qos] of this.#filters) {
      if ((highest === undefined || qos > highest) && topicMatches(filter, topic)) highest = qos;
    }
    return remember(this.#remembered, topic, highest);
  }
}

function remember<T>(known: Map<string, T>, key: string, value: T): T {
  if (known.size >= REMEMBERED_TOPICS) known.clear();
  known.set(key, value);
  return value;
}

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
