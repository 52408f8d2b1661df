/** MQTT connections of the attacker's device, which send as fast as they can. */

import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { generate } from 'mqtt-packet';
import { createWebSocketStream, WebSocket } from 'ws';
import { type Action, requestTopic } from '../../../shared/topics.js';
import { frames } from '../load/frames.js';
import { AGAIN_MS, type Scene } from './scene.js';

const CONNACK = 2;
const ACCEPTED = 0;

const connectTcp = ({ mqtt, from }: Scene): Duplex => connect({ ...mqtt, localAddress: from, noDelay: true });

export const connectWebSocket = ({ http, from }: Scene): Duplex => {
  const url = `ws://${http.host}:${http.port}/mqtt`;
  return createWebSocketStream(new WebSocket(url, 'mqtt', { localAddress: from }));
};

/** A publish to the device's own twin. */
export const inband = (
  document: string,
  action: Action,
  payload: string,
  { qos = 0, id = 1 }: { qos?: 0 | 1 | 2; id?: number } = {},
): Buffer =>
  generate({
    cmd: 'publish',
    topic: requestTopic(document, action),
    payload,
    qos,
    messageId: id,
    dup: false,
    retain: false,
  });

const firstPacket = ({ device: { id, password } }: Scene): Buffer =>
  generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: '',
    clean: true,
    keepalive: 600,
    username: id,
    password: Buffer.from(password),
  });

/**
 * A connection of the device, opened anew when it is closed.
 * @param accepted called with each connection that the server accepted
 */
export function withConnection(
  scene: Scene,
  accepted: (stream: Duplex) => void,
  open: (scene: Scene) => Duplex = connectTcp,
): void {
  const stream = open(scene);
  const feed = frames((type, bytes, _start, body) => {
    if (type !== CONNACK) return scene.count(`answers of type ${type}`);
    const code = bytes[body + 1] ?? 0;
    scene.count(code === ACCEPTED ? 'accepted' : `refused with ${code}`);
    if (code === ACCEPTED) accepted(stream);
  });
  stream.on('data', (bytes: Buffer) => feed(bytes, bytes.length));
  stream.on('error', (error: NodeJS.ErrnoException) => scene.count(error.code ?? 'error'));
  stream.once('close', () => {
    scene.count('closed');
    setTimeout(withConnection, AGAIN_MS, scene, accepted, open);
  });
  stream.write(firstPacket(scene));
}

/** Writes the same packets as fast as the other side takes them. */
export function flood({ count }: Scene, stream: Duplex, packets: Buffer, number: number): void {
  const write = (): void => {
    if (stream.destroyed) return;
    count('packets', number);
    // One turn between, so that what comes is read too.
    if (stream.write(packets)) setImmediate(write);
    else stream.once('drain', write);
  };
  write();
}
