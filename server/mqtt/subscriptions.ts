import { topicMatches } from '../../shared/topic-grammar.js';
import { ROOT } from '../../shared/topics.js';
import type { QoS } from './packet.js';
import { REFUSED } from './write.js';

/** How many topics' answers are remembered; a twin has 64 documents. */
const REMEMBERED_TOPICS = 256;

/** In UTF-16 units. No topic of a device is as long, so a longer filter would only cost memory, and time at every publish. */
const LONGEST_FILTER = 256;

/** What one connection has subscribed to. It can hold nothing outside the device's own twin. */
export class Subscriptions {
  readonly #own: readonly string[];
  readonly #limit: number;
  readonly #filters = new Map<string, QoS>();
  readonly #remembered = new Map<string, QoS | undefined>();

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
    const qos = this.#match(topic);
    if (this.#remembered.size >= REMEMBERED_TOPICS) this.#remembered.clear();
    this.#remembered.set(topic, qos);
    return qos;
  }

  #match(topic: string): QoS | undefined {
    let highest: QoS | undefined;
    for (const [filter, qos] of this.#filters) {
      if ((highest === undefined || qos > highest) && topicMatches(filter, topic)) highest = qos;
    }
    return highest;
  }
}
