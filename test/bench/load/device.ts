/** A device that connects, subscribes to what it is sent, and says nothing more. */

import type { Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { OWN_TOPICS } from '../../../shared/topics.js';
import { frames } from './frames.js';
import type { Credentials } from './job.js';

const CONNACK = 2;
const SUBACK = 9;
const KEEP_ALIVE_SECONDS = 600;

const SUBSCRIBE = generate({
  cmd: 'subscribe',
  messageId: 1,
  subscriptions: [{ topic: OWN_TOPICS, qos: 0 }],
});

/** Resolves when it is served: when its subscription is acknowledged. Rejects when it is refused or cut off. */
export function introduce(socket: Socket, { id, password, certificate }: Credentials): Promise<void> {
  return new Promise((ready, failed) => {
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId: id,
        clean: true,
        keepalive: KEEP_ALIVE_SECONDS,
        ...(certificate === undefined && { username: id, password: Buffer.from(password) }),
      }),
    );
    const feed = frames((type, bytes, _start, body) => {
      if (type === CONNACK && bytes[body + 1] === 0) socket.write(SUBSCRIBE);
      else if (type === SUBACK) ready();
      else failed(new Error(`${id}: refused`));
    });
    socket.on('data', (bytes) => feed(bytes, bytes.length));
    socket.on('error', failed);
    socket.once('close', () => failed(new Error(`${id}: cut off`)));
  });
}

/** Does the same for every device, so many of them at once. */
export async function forEach<T>(all: readonly T[], atOnce: number, act: (each: T) => Promise<void>) {
  const waiting = all.values();
  const worker = async () => {
    for (const each of waiting) await act(each);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
