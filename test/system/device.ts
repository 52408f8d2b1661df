/** MQTT.js as a device of the real server. */

import { connectAsync } from 'mqtt';
import { type Action, OWN_TOPICS, parseReply, requestTopic } from '../../shared/topics.js';
import type { Credentials, Server } from './server.js';

export interface Answer {
  topic: string;
  body: Record<string, unknown>;
}

export interface Device {
  /** Everything received so far. */
  readonly received: Answer[];
  /** Publishes a request and gives its answer. */
  ask(document: string, action: Action, payload?: object): Promise<Answer>;
  /** Publishes and waits for the acknowledgement only. */
  publish(topic: string, payload: object): Promise<unknown>;
  /** The first message on the topic, past or future, that passes. */
  heard(topic: string, passes?: (body: Record<string, unknown>) => boolean): Promise<Answer>;
  /** Whether the server granted it. */
  subscribe(filter: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Connects and subscribes to everything of the device's own twin. */
export async function connectDevice(
  server: Pick<Server, 'mqtt'>,
  { id, password }: Pick<Credentials, 'id' | 'password'>,
): Promise<Device> {
  const client = await connectAsync(server.mqtt, { username: id, password, reconnectPeriod: 0 });
  const received: Answer[] = [];
  const listeners = new Set<(answer: Answer) => void>();
  client.on('message', (topic, payload) => {
    const answer = { topic, body: JSON.parse(payload.toString()) as Record<string, unknown> };
    received.push(answer);
    for (const listener of listeners) listener(answer);
  });
  await client.subscribeAsync(OWN_TOPICS, { qos: 1 });

  const next = (passes: (answer: Answer) => boolean): Promise<Answer> =>
    new Promise((resolve) => {
      const listener = (answer: Answer) => {
        if (!passes(answer)) return;
        listeners.delete(listener);
        resolve(answer);
      };
      listeners.add(listener);
    });

  return {
    received,
    async ask(document, action, payload = {}) {
      const answer = next(({ topic }) => {
        const reply = parseReply(topic);
        return (
          reply !== undefined && reply.document === document && 'action' in reply && reply.action === action
        );
      });
      await client.publishAsync(requestTopic(document, action), JSON.stringify(payload), { qos: 1 });
      return answer;
    },
    publish: (topic, payload) => client.publishAsync(topic, JSON.stringify(payload), { qos: 1 }),
    heard(topic, passes = () => true) {
      const fits = (answer: Answer) => answer.topic === topic && passes(answer.body);
      const past = received.find(fits);
      return past === undefined ? next(fits) : Promise.resolve(past);
    },
    subscribe: (filter) =>
      client.subscribeAsync(filter, { qos: 0 }).then(
        () => true,
        () => false,
      ),
    close: () => client.endAsync(true),
  };
}
