/** A TLS 1.2 server that sends what a test gives it. It encrypts nothing, because it has no keys. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { certificateMessage, keyExchangeMessage, type Show, uint } from './impostors.js';

const HANDSHAKE = 22;
const SERVER_RANDOM = Buffer.alloc(32, 7);
const NO_SESSION = Buffer.from([0]);
/** TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, and no compression. */
export const RIGHT_CHOICE = Buffer.from([0xc0, 0x2b, 0]);

export const record = (type: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3]), uint(content.length, 2), content]);

export const handshake = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type]), uint(body.length, 3), body]);

export interface Messages {
  hello: Buffer;
  certificate: Buffer;
  keyExchange: Buffer;
  request: Buffer;
  done: Buffer;
}

/** The messages of a handshake by their names. */
export function messagesOf(show: Show, clientRandom: Uint8Array, choice = RIGHT_CHOICE): Messages {
  const hello = Buffer.concat([Buffer.from([3, 3]), SERVER_RANDOM, NO_SESSION, choice]);
  return {
    hello: handshake(2, hello),
    certificate: handshake(11, certificateMessage(show.certificates)),
    keyExchange: handshake(12, keyExchangeMessage(show, [clientRandom, SERVER_RANDOM])),
    // A certificate of RSA or ECDSA, signed by one of them, of any authority.
    request: handshake(13, Buffer.from([2, 1, 64, 0, 4, 4, 3, 4, 1, 0, 0])),
    done: handshake(14, Buffer.alloc(0)),
  };
}

/** The records that an honest server sends: a message in each. */
export const flightOf = ({ hello, certificate, keyExchange, request, done }: Messages): Buffer[] =>
  [hello, certificate, keyExchange, request, done].map((message) => record(HANDSHAKE, message));

/** What is sent in answer to a ClientHello, given its random. */
export type Flight = (clientRandom: Buffer) => Buffer[];

export class TlsServer {
  private readonly server: Server;
  private readonly sockets: Socket[] = [];
  flight: Flight;
  /** What came after each ClientHello. */
  readonly heard: Buffer[] = [];

  private constructor(flight: Flight) {
    this.flight = flight;
    this.server = createServer((socket) => this.serve(socket));
  }

  static async listen(flight: Flight, port = 0): Promise<TlsServer> {
    const server = new TlsServer(flight);
    server.server.listen(port, '127.0.0.1');
    await once(server.server, 'listening');
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private serve(socket: Socket): void {
    this.sockets.push(socket);
    let greeted = false;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (greeted) this.heard.push(bytes);
      else socket.write(Buffer.concat(this.flight(bytes.subarray(11, 43))));
      greeted = true;
    });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
