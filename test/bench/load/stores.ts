/** The protocols of the stores, as far as a put needs them: one request outstanding on each connection. */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import type { Address } from '../../../server/config.js';
import type { Store } from './job.js';

export interface StoreClient {
  /** Resolves when the store says that it is done. Rejects when it refuses, or when the connection is lost. */
  put(payload: string): Promise<void>;
  close(): void;
}

/** The bucket of the JetStream key-value store, and the subject of a key in it. */
export const BUCKET = 'twins';
const subjectOf = (key: string): string => `$KV.${BUCKET}.${key}`;

/** A connection for the client with this number. */
export const CONNECT: Record<Store, (address: Address, number: number) => Promise<StoreClient>> = {
  async redis(address, number) {
    const key = keyOf(number);
    const { ask, close } = await dialogue(address);
    return {
      close,
      async put(payload) {
        const parts = ['SET', key, payload].map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
        const answer = await ask(`*${parts.length}\r\n${parts.join('')}`, /\r\n$/);
        if (answer !== '+OK\r\n') throw new Error(`Redis: ${answer}`);
      },
    };
  },

  async jetstream(address, number) {
    const { request, close } = await connectNats(address);
    const subject = subjectOf(keyOf(number));
    return { close, put: (payload) => request(subject, payload) };
  },

  async etcd({ host, port }, number) {
    const key = protobufField(1, keyOf(number));
    const session = connectHttp2(`http://${host}:${port}`);
    await once(session, 'connect');
    return {
      close: () => session.destroy(),
      put: (payload) =>
        new Promise((done, failed) => {
          const stream = session.request(ETCD_PUT);
          stream.once('error', failed);
          stream.once('trailers', ({ 'grpc-status': status, 'grpc-message': why }) => {
            if (status === '0') done();
            else failed(new Error(`etcd: ${status} ${why}`));
          });
          stream.once('close', () => failed(new Error('etcd: no answer')));
          stream.resume();
          stream.end(grpcMessage(Buffer.concat([key, protobufField(2, payload)])));
        }),
    };
  },
};

const keyOf = (number: number): string => `device-${number}`;

/** A connection to NATS by its text protocol. The request is answered by JetStream, and rejects for an error. */
export async function connectNats(
  address: Address,
): Promise<{ request(subject: string, payload: string): Promise<void>; close(): void }> {
  const inbox = `_INBOX.${randomUUID()}`;
  const { ask, close } = await dialogue(address);
  let pong = '';
  await ask(`CONNECT {"verbose":false}\r\nSUB ${inbox} 1\r\nPING\r\n`, /PONG\r\n$/);
  return {
    close,
    async request(subject, payload) {
      const length = Buffer.byteLength(payload);
      const answer = await ask(
        `${pong}PUB ${subject} ${inbox} ${length}\r\n${payload}\r\n`,
        /\}\r\n(PING\r\n)*$/,
      );
      pong = answer.includes('PING\r\n') ? 'PONG\r\n' : '';
      if (answer.includes('"error"')) throw new Error(`JetStream: ${answer}`);
    },
  };
}

interface Dialogue {
  /** Gives the answer, which is whole when its end is this one. Rejects when the connection is lost. */
  ask(request: string, end: RegExp): Promise<string>;
  close(): void;
}

async function dialogue({ host, port }: Address): Promise<Dialogue> {
  const socket = connect({ host, port, noDelay: true }).setEncoding('utf8');
  let received = '';
  let waiting: { end: RegExp; answered(text: string): void; failed(error: Error): void } | undefined;
  const fail = (error: Error) => waiting?.failed(error);
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));
  socket.on('data', (text: string) => {
    received += text;
    if (waiting === undefined || !waiting.end.test(received)) return;
    const answer = received;
    received = '';
    waiting.answered(answer);
  });
  await once(socket, 'connect');
  return {
    ask: (request, end) =>
      new Promise((answered, failed) => {
        waiting = { end, answered, failed };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

const ETCD_PUT = {
  ':method': 'POST',
  ':path': '/etcdserverpb.KV/Put',
  'content-type': 'application/grpc',
  te: 'trailers',
};
const WIRE_TYPE_BYTES = 2;
const LONGEST_WITH_ONE_BYTE = 127;

/** A field of the type `bytes` [Protocol Buffers, encoding]. @throws RangeError for more than 127 bytes */
function protobufField(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > LONGEST_WITH_ONE_BYTE) throw new RangeError(`too long: ${bytes.length} bytes`);
  return Buffer.concat([Buffer.from([(number << 3) | WIRE_TYPE_BYTES, bytes.length]), bytes]);
}

/** Not compressed, with its length in front [gRPC over HTTP/2]. */
function grpcMessage(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
