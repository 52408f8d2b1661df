/** One MQTT connection over the page's own WebSocket, as a device. */

import mqtt, { type ErrorWithReasonCode } from 'mqtt';
import { OWN_TOPICS } from '../../../shared/topics.js';
import { type Entry, refusalText } from './entries.js';
import type { Message } from './examples.js';

export interface Credentials {
  readonly id: string;
  readonly password: string;
}

export interface Connection {
  publish(message: Message, qos: 0 | 1 | 2): void;
  subscribe(filter: string): void;
  unsubscribe(filter: string): void;
  close(): void;
}

interface Listeners {
  readonly onEntry: (entry: Entry) => void;
  readonly onConnected: (isConnected: boolean) => void;
  readonly onSubscriptions: (filters: readonly string[]) => void;
}

const CONNECT_MS = 10_000;

/** Connects, subscribes to the device's own topics, and reports everything that happens. It does not connect again by itself. */
export function connect({ id, password }: Credentials, listeners: Listeners): Connection {
  const { onEntry, onConnected, onSubscriptions } = listeners;
  const filters = new Set<string>();
  const client = mqtt.connect(`${location.origin.replace(/^http/, 'ws')}/mqtt`, {
    username: id,
    password,
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_MS,
    // The library's own timers run in a worker made of a blob, which the page's policy forbids.
    timerVariant: 'native',
  });
  const tell = (text: string): void => onEntry({ kind: 'event', at: Date.now(), text });
  const tellError = (error: Error | ErrorWithReasonCode): void =>
    tell('code' in error ? `refused: ${refusalText(Number(error.code))}` : `error: ${error.message}`);

  const subscribe = (filter: string): void => {
    client.subscribe(filter, { qos: 1 }, (error, granted = []) => {
      const isGranted = error === null && granted.every(({ qos }) => qos < REFUSED);
      tell(isGranted ? `subscribed to ${filter}` : `${filter} is refused: not the device's own twin`);
      if (isGranted) onSubscriptions([...filters.add(filter)]);
    });
  };

  client.on('connect', () => {
    tell(`connected as ${id}`);
    onConnected(true);
    subscribe(OWN_TOPICS);
  });
  client.on('message', (topic, payload) =>
    onEntry({ kind: 'received', at: Date.now(), topic, payload: payload.toString() }),
  );
  client.on('error', tellError);
  client.on('close', () => {
    tell('the connection is closed');
    onConnected(false);
    onSubscriptions([]);
    client.end(true);
  });

  return {
    publish({ topic, payload }, qos) {
      onEntry({ kind: 'sent', at: Date.now(), topic, payload });
      client.publish(topic, payload, { qos }, (error) => error && tellError(error));
    },
    subscribe,
    unsubscribe(filter) {
      client.unsubscribe(filter, () => {
        filters.delete(filter);
        onSubscriptions([...filters]);
        tell(`unsubscribed from ${filter}`);
      });
    },
    close: () => void client.end(),
  };
}

/** The return code of a filter that is refused [MQTT-3.9.3]. */
const REFUSED = 0x80;
