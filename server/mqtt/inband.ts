/**
 * The in-band protocol of one device: its topics and subscriptions, how a request to its own twin is carried out, and
 * the text of the answers.
 */

import { LIMITS } from '../../shared/document.js';
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
import type { Author } from '../access/author.js';
import { OutcomeUnknown, OwnerGone, StorageUnavailable } from '../storage/storage.js';
import { type Document, parsePut, parseRequest } from '../twins/document.js';
import {
  DocumentNotFound,
  DocumentTooLarge,
  InvalidName,
  InvalidRequest,
  VersionMismatch,
} from '../twins/errors.js';
import type { Answer, Twins } from '../twins/twins.js';
import { WORK } from '../work.js';
import { topicField } from './output.js';
import { type QoS, REFUSED } from './packet.js';

/** Where a message goes: its topic name, and the same name as a PUBLISH carries it. */
export interface Destination {
  readonly topic: string;
  readonly field: Buffer;
}

/** The request of a publish on an in-band topic, and where its answer goes. */
export interface Request {
  readonly document: string;
  readonly action: Action;
  readonly success: Destination;
  readonly error: Destination;
}

/** How many topics a connection remembers. A twin has 64 documents, and a document has four actions. */
const REMEMBERED_TOPICS = 256;
/** In UTF-16 units. Longer topics name no document, so they are not remembered. */
const REMEMBERED_LENGTH = 256;
/** In bytes. No valid document name is so long, and the answer would carry it twice. */
const LONGEST_REQUEST = 4096;

/** The in-band topics of one device, each worked out once. */
export class OwnTopics {
  readonly #deviceId: string;
  readonly #requests = new Map<string, Request>();
  /** Made when it is needed, because most devices never get a push. */
  #changed: Map<string, readonly Destination[]> | undefined;

  constructor(deviceId: string) {
    this.#deviceId = deviceId;
  }

  /** The request of a valid topic name. Undefined when it is not a request to the device's own twin. */
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

  /** The topics that a document's new state goes to: below `me` and below the device's id. */
  changed(document: string): readonly Destination[] {
    this.#changed ??= new Map();
    const known = this.#changed.get(document);
    if (known !== undefined) return known;
    return remember(this.#changed, document, this.#onBothPrefixes(changedTopic, document));
  }

  /** The topics that the deletion of a document goes to. */
  deleted(document: string): readonly Destination[] {
    return this.#onBothPrefixes(deletedTopic, document);
  }

  #onBothPrefixes(topicOf: typeof changedTopic, document: string): readonly Destination[] {
    return ['me', this.#deviceId].map((twin) => destination(topicOf(document, twin)));
  }
}

const destination = (topic: string): Destination => ({ topic, field: topicField(topic) });

/** Counts work, as `work.ts` does. */
type Spend = (work: number) => void;

/** In UTF-16 units. No topic of a device is longer. Longer filters would cost memory, and time at every publish. */
const LONGEST_FILTER = 256;

/** The subscriptions of one connection. They are all within the device's own twin. */
export class Subscriptions {
  readonly #own: readonly string[];
  readonly #limit: number;
  readonly #filters = new Map<string, QoS>();
  readonly #remembered = new Map<string, QoS | undefined>();
  readonly #spend: Spend;

  /** @param limit the number of filters */
  constructor(deviceId: string, limit: number, spend: Spend) {
    this.#own = [`${ROOT}/me/`, `${ROOT}/${deviceId}/`];
    this.#limit = limit;
    this.#spend = spend;
  }

  /**
   * Adds a well-formed filter or changes its QoS [MQTT-3.8.4-3].
   * @returns the code for the SUBACK: the QoS, or 0x80 for a filter that is outside the own twin, too long, or one too
   * many
   */
  add(filter: string, qos: QoS): number {
    if (!this.isOwn(filter) || filter.length > LONGEST_FILTER) return REFUSED;
    if (!this.#filters.has(filter) && this.#filters.size >= this.#limit) return REFUSED;
    this.#filters.set(filter, qos);
    this.#remembered.clear();
    return qos;
  }

  /** Whether a filter matches only topics of the own twin. */
  isOwn(filter: string): boolean {
    return this.#own.some((twin) => filter.startsWith(twin));
  }

  remove(filter: string): void {
    this.#filters.delete(filter);
    this.#remembered.clear();
  }

  /** The highest QoS of the filters that match a topic name [MQTT-3.3.5-1]. Undefined when none does. */
  qosOf(topic: string): QoS | undefined {
    const known = this.#remembered.get(topic);
    if (known !== undefined || this.#remembered.has(topic)) return known;
    this.#spend(this.#filters.size * WORK.comparedFilter);
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

/** The device has too many requests under way. This one was not carried out. */
export class TooManyRequests extends Error {
  override name = 'TooManyRequests';
  constructor() {
    super('too many requests');
  }
}

/** The device was disabled or deleted, or got new credentials, after it had asked for this. It was not carried out. */
export class DeviceRevoked extends Error {
  override name = 'DeviceRevoked';
  constructor() {
    super('the device has lost its rights');
  }
}

/**
 * How long the answer to a request may become, in bytes. Of a get and a patch it is not known before. The rest of an
 * answer is short.
 */
export function answerBytes({ action }: Pick<Request, 'action'>, payload: Buffer): number {
  if (action === 'put') return payload.length;
  return action === 'delete' ? 0 : LIMITS.dataBytes;
}

/**
 * Carries out a request with its payload. A delete is answered without a document.
 * @param origin the session that asks. It gets no push of its own change.
 * @throws InvalidRequest when the payload is not valid. Then `answer` is not called.
 */
export function carryOut(
  twins: Twins,
  deviceId: string,
  { action, document: name }: Pick<Request, 'action' | 'document'>,
  payload: Buffer,
  answer: Answer<Document>,
  origin: Author,
  spend: Spend,
): void {
  switch (action) {
    case 'get':
      return twins.get(deviceId, name, answer);
    case 'put': {
      const { version, data } = parsePut(payload);
      return twins.put(deviceId, name, { version, data, spend }, answer, origin);
    }
    case 'patch': {
      const { version, data } = parseRequest(payload);
      return twins.patch(deviceId, name, { version, data, spend }, answer, origin);
    }
    case 'delete':
      return twins.delete(deviceId, name, (error) => answer(error), origin);
  }
}

/** The payload of a success. After a delete it has only the document's name. */
export const successText = (deviceId: string, name: string, document: Document | undefined): string =>
  document === undefined ? JSON.stringify({ twin_id: deviceId, document_name: name }) : document.json;

/** The payload of a push about a deletion. @param version the document's last version */
export const deletedText = (deviceId: string, name: string, version: number): string =>
  JSON.stringify({ twin_id: deviceId, document_name: name, version });

interface Failure {
  /** The `error` in the answer. */
  readonly text: string;
  /** Whether the request is acknowledged. It is not when the same request may succeed later. */
  readonly isAcknowledged: boolean;
  /** A fault of the server itself. It is logged as an error. */
  readonly isInternal: boolean;
}

const own = (error: Error): string => error.message;

/** The errors that a device gets, by class. The first matching row counts. */
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
  [OutcomeUnknown, own, false],
  [OwnerGone, () => 'device not found', false],
  [TooManyRequests, own, false],
  [DeviceRevoked, own, false],
];

/** Any other error. Its own text goes only to the server's log. */
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

/** A publish that was received and is not answered yet. */
export interface Pending {
  readonly qos: QoS;
  readonly id: number;
  /** The length of its payload, in bytes. */
  readonly length: number;
  /** What the backlog counts for its answer, in bytes. Undefined when the backlog refused it. */
  readonly room: number | undefined;
  /** Undefined for a publish on another topic. It is acknowledged and dropped. */
  readonly request: Request | undefined;
  /** The QoS of the two possible answers. Undefined when no subscription matched at the time of the request. */
  readonly successQos: QoS | undefined;
  readonly errorQos: QoS | undefined;
  isSettled: boolean;
  error: Error | null;
  document: Document | undefined;
}

/**
 * The publishes of one connection. They are answered in the order in which they came [MQTT-4.6.0-2] [MQTT-4.6.0-3],
 * even when they are settled in another order.
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

  /** The length of the payloads of all requests that are not answered. */
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
