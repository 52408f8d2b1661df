/** HTTP connections that send many requests without a pause. */

import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { API_ROOT, DEFAULT_REGION, documentPath, TOKEN_HEADER } from '../../../shared/rest.js';
import { AGAIN_MS, type Scene } from './scene.js';

export const BASE = `${API_ROOT}/${DEFAULT_REGION}`;

/** The path of a document of the attacker's own twin. */
export const ownDocument = ({ device }: Scene, name: string): string =>
  `${BASE}${documentPath(device.id, name)}`;

export function httpRequest(
  method: string,
  path: string,
  { token, body = '' }: { token?: string; body?: string } = {},
): Buffer {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    ...(token === undefined ? [] : [`${TOKEN_HEADER}: ${token}`]),
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** The same request so many times. */
export const times = (count: number, request: Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => request));

export function connectHttp({ http, from, count }: Scene): Socket {
  const socket = connect({ ...http, localAddress: from });
  socket.on('error', (error: NodeJS.ErrnoException) => count(error.code ?? 'error'));
  return socket;
}

/** One request on a connection of its own. @throws Error for an answer that is not a 2xx */
export async function ask(scene: Scene, request: Buffer): Promise<void> {
  const socket = connectHttp(scene);
  socket.write(request);
  // The connection is closed behind the request, so that the answer ends.
  socket.end();
  const answer = await text(socket);
  if (!/^HTTP\/1\.1 2/.test(answer)) throw new Error(`the attack could not be prepared: ${answer}`);
}

const STATUS = /HTTP\/1\.1 (\d{3}) /g;
const LONGEST_STATUS = 13;

/** Counts the answers that come on a connection, by status. @param answered called with how many answers came */
export function countAnswers(socket: Socket, { count }: Scene, answered: (more: number) => void): void {
  let before = '';
  socket.on('data', (bytes) => {
    const all = before + bytes.toString('latin1');
    let end = 0;
    let more = 0;
    for (const { 1: status = '', index, 0: line } of all.matchAll(STATUS)) {
      count(status);
      more += 1;
      end = index + line.length;
    }
    before = all.slice(Math.max(end, all.length - LONGEST_STATUS));
    if (more > 0) answered(more);
  });
}

/** Requests that are sent at once, and again when all are answered. */
interface Burst {
  readonly requests: Buffer;
  /** How many they are. */
  readonly number: number;
  /** Sent alone before the first burst. The connection then rests for a second before each burst. */
  readonly first?: Buffer;
}

const REST_MS = 1000;

/** Sends bursts on a connection that is opened anew when it is closed. */
export function sendAgainAndAgain(scene: Scene, burst: Burst): void {
  const { requests, number, first } = burst;
  const socket = connectHttp(scene);
  let missing = 0;
  const send = (): void => {
    if (socket.destroyed) return;
    missing += number;
    scene.count('requests', number);
    socket.write(requests);
  };
  countAnswers(socket, scene, (more) => {
    missing -= more;
    if (missing === 0 && first === undefined) send();
    else if (missing === 0) setTimeout(send, REST_MS);
  });
  if (first === undefined) send();
  else {
    missing = 1;
    socket.write(first);
  }
  socket.once('close', () => {
    scene.count('closed');
    setTimeout(sendAgainAndAgain, AGAIN_MS, scene, burst);
  });
}

/** Sends so many requests at once and reads no answer. */
export function sendAndNotRead(scene: Scene, requests: Buffer, number: number): void {
  const socket = connectHttp(scene);
  socket.pause();
  scene.count('requests', number);
  socket.write(requests);
}

/** Sends a request and reads one byte of its answer a second. */
export function sendAndReadSlowly(scene: Scene, request: Buffer): void {
  const onread = {
    buffer: Buffer.alloc(1),
    callback: () => {
      setTimeout(() => socket.resume(), 1000);
      return false;
    },
  };
  const socket = connect({ ...scene.http, localAddress: scene.from, onread });
  socket.on('error', (error: NodeJS.ErrnoException) => scene.count(error.code ?? 'error'));
  socket.write(request);
  scene.count('requests');
  socket.once('close', () => {
    scene.count('closed');
    setTimeout(sendAndReadSlowly, AGAIN_MS, scene, request);
  });
}
