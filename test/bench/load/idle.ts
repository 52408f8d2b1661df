/**
 * Devices that are connected and say nothing. Reads an {@link IdleJob} from standard input, prints `connected` when all
 * are, and stays until it is ended.
 */

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { generate } from 'mqtt-packet';
import { OWN_TOPICS } from '../../../shared/topics.js';
import { frames } from './frames.js';
import type { IdleJob } from './job.js';

const CONNACK = 2;
const SUBACK = 9;
const AT_ONCE = 32;
const KEEP_ALIVE_SECONDS = 600;

const { host, port, devices }: IdleJob = JSON.parse(await text(process.stdin));
const subscribe = generate({
  cmd: 'subscribe',
  messageId: 1,
  subscriptions: [{ topic: OWN_TOPICS, qos: 0 }],
});

function open({ id, password }: IdleJob['devices'][number]): Promise<void> {
  return new Promise((ready, failed) => {
    const socket = connect(port, host, () => {
      socket.write(
        generate({
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 4,
          clientId: id,
          clean: true,
          keepalive: KEEP_ALIVE_SECONDS,
          username: id,
          password: Buffer.from(password),
        }),
      );
    });
    const feed = frames((type, bytes, _start, body) => {
      if (type === CONNACK && bytes[body + 1] === 0) socket.write(subscribe);
      else if (type === SUBACK) ready();
      else failed(new Error(`${id}: refused`));
    });
    socket.on('data', (bytes) => feed(bytes, bytes.length));
    socket.once('error', failed);
  });
}

const waiting = devices.values();
const worker = async () => {
  for (const device of waiting) await open(device);
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));
console.log('connected');
