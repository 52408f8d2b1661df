/** The ready-made messages of the console. Pure. */

import { CURRENT, DESIRED } from '../../../shared/panel.js';
import { type Action, requestTopic } from '../../../shared/topics.js';

export interface Message {
  readonly topic: string;
  readonly payload: string;
}

interface Example {
  readonly name: string;
  /** Published one after the other. */
  readonly messages: readonly Message[];
}

const request = (document: string, action: Action, body: object = {}): Message => ({
  topic: requestTopic(document, action),
  payload: JSON.stringify(body),
});

const one = (document: string, action: Action, body?: object): Example => ({
  name: `${action} ${document}`,
  messages: [request(document, action, body)],
});

/** It is spelt so in Scaleway's documentation. */
const CONCURRENCY = 'concurency';

export const EXAMPLES: readonly Example[] = [
  one(DESIRED, 'get'),
  one(DESIRED, 'put', { data: { alarm_armed: true } }),
  one(DESIRED, 'patch', { data: { alarm_armed: false } }),
  one(CURRENT, 'get'),
  one(CURRENT, 'put', { data: { alarm_armed: false, siren_ringing: false, door_open: false } }),
  one(CURRENT, 'patch', { data: { door_open: true } }),
  {
    name: 'version mismatch',
    messages: [
      request(CONCURRENCY, 'delete'),
      request(CONCURRENCY, 'put', { data: { writer: 'one' } }),
      request(CONCURRENCY, 'put', { version: 1, data: { writer: 'two' } }),
      request(CONCURRENCY, 'put', { version: 1, data: { writer: 'three, who does not know of two' } }),
    ],
  },
];
