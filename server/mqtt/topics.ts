/** The topics of one connection: the requests and pushes of its device's own twin, and what it subscribed to. */

import { parseRequestTopic, topicMatches } from '../../shared/topic-grammar.js';
import {
  type Action,
  changedTopic,
  deletedTopic,
  type Outcome,
  ROOT,
  responseTopic,
} from '../../shared/topics.js';
import { type QoS, REFUSED, topicField } from './packet.js';

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
