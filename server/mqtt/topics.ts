import { parseRequestTopic } from '../../shared/topic-grammar.js';
import { type Action, changedTopic, type Outcome, responseTopic } from '../../shared/topics.js';
import { emptyMap, ownMap } from './empty-map.js';
import { topicField } from './write.js';

/** Where a message goes: its topic name, and the same as a PUBLISH carries it. */
export interface Destination {
  readonly topic: string;
  readonly field: Buffer;
}

/** What a publish on an in-band topic asks for, and where its answers go. */
export interface Request {
  readonly document: string;
  readonly action: Action;
  readonly success: Destination;
  readonly error: Destination;
}

/** How many topics one connection remembers; a twin has 64 documents and a document four actions. */
const REMEMBERED_TOPICS = 256;
/** Longer ones name no document, so they are not worth remembering. */
const REMEMBERED_LENGTH = 256;
/** In bytes. A name of such a length is never valid, and its answer would carry it twice. */
const LONGEST_REQUEST = 4096;

/** The topics of one device, each worked out once. */
export class OwnTopics {
  readonly #deviceId: string;
  readonly #requests = new Map<string, Request>();
  #pushes: Map<string, readonly Destination[]> = emptyMap;

  constructor(deviceId: string) {
    this.#deviceId = deviceId;
  }

  /** The request that a valid topic name stands for; undefined when it is none, or not for the own twin. */
  request(topic: string): Request | undefined {
    const known = this.#requests.get(topic);
    if (known !== undefined) return known;
    if (Buffer.byteLength(topic) > LONGEST_REQUEST) return undefined;
    const parsed = parseRequestTopic(topic);
    if (parsed === undefined || !this.#isOwn(parsed.twin)) return undefined;
    const { twin, document, action } = parsed;
    const to = (outcome: Outcome) => destination(responseTopic(document, action, outcome, twin));
    const request = { document, action, success: to('success'), error: to('error') };
    return topic.length > REMEMBERED_LENGTH ? request : remember(this.#requests, topic, request);
  }

  /** Where a document's new state goes: as `me` and as the id. */
  changed(document: string): readonly Destination[] {
    const known = this.#pushes.get(document);
    if (known !== undefined) return known;
    const pushes = ['me', this.#deviceId].map((twin) => destination(changedTopic(document, twin)));
    this.#pushes = ownMap(this.#pushes);
    return remember(this.#pushes, document, pushes);
  }

  #isOwn(twin: string): boolean {
    return twin === 'me' || twin === this.#deviceId;
  }
}

const destination = (topic: string): Destination => ({ topic, field: topicField(topic) });

function remember<T>(known: Map<string, T>, key: string, value: T): T {
  if (known.size >= REMEMBERED_TOPICS) known.clear();
  known.set(key, value);
  return value;
}
