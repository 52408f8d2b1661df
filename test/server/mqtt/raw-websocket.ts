/** A WebSocket client of single frames, right or wrong, as RFC 6455 lays them out in 5.2. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  opcode: number;
  payload: Buffer;
}

export interface FrameOptions {
  /** Whether it is the last of its message; it is unless told otherwise. */
  last?: boolean;
  masked?: boolean;
  /** The length that it claims, whatever its payload is. */
  claims?: number;
}

/** One frame; the mask is zeros, which changes nothing. */
export function frame(
  opcode: number,
  payload: Buffer = Buffer.alloc(0),
  { last = true, masked = true, claims = payload.length }: FrameOptions = {},
): Buffer {
  const length = lengthOf(claims);
  length[0] = (length[0] ?? 0) | (masked ? 0x80 : 0);
  const head = Buffer.from([(last ? 0x80 : 0) | opcode]);
  return Buffer.concat([head, length, Buffer.alloc(masked ? 4 : 0), payload]);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 126) return Buffer.from([bytes]);
  const field = Buffer.alloc(bytes < 0x1_0000 ? 3 : 9);
  field[0] = field.length === 3 ? 126 : 127;
  field.writeUIntBE(bytes, field.length === 3 ? 1 : 3, field.length === 3 ? 2 : 6);
  return field;
}

/** The headers of a valid handshake. */
export const HANDSHAKE: Readonly<Record<string, string>> = {
  Host: '127.0.0.1',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Protocol': 'mqtt',
};

export class RawWebSocket {
  readonly #socket: Socket;
  /** What came and was not taken yet. */
  #bytes: Buffer = Buffer.alloc(0);
  /** Resolves when more has come, or when no more will come. */
  #news: Promise<void>;
  #tell = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#news = this.#awaitNews();
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#tell();
    });
    socket.on('close', () => this.#tell());
    socket.on('error', () => undefined);
  }

  /** Sends a request and gives the head of its answer. */
  static async ask(
    port: number,
    headers: Readonly<Record<string, string>> = HANDSHAKE,
    line = 'GET /mqtt HTTP/1.1',
    body = '',
  ): Promise<{ client: RawWebSocket; head: string }> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    const client = new RawWebSocket(socket);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write([line, ...lines, '', body].join('\r\n'));
    const end = await client.#until((bytes) => bytes.indexOf('\r\n\r\n') + 1 || undefined);
    const head = client.#take(end + 3).toString('latin1');
    return { client, head };
  }

  /** After a valid handshake. */
  static async open(port: number): Promise<RawWebSocket> {
    const { client, head } = await RawWebSocket.ask(port);
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(head);
    return client;
  }

  /** Resolves when the connection is closed. */
  get closed(): Promise<unknown> {
    return this.#socket.closed ? Promise.resolve() : once(this.#socket, 'close');
  }

  send(...frames: Buffer[]): void {
    this.#socket.write(Buffer.concat(frames));
  }

  /** The next frame from the server, which masks none. Rejects when there is none any more. */
  async next(): Promise<Frame> {
    const [start, end] = await this.#until(frameBounds);
    const bytes = this.#take(end);
    return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(start) };
  }

  /** The whole body of an answer that ends with its connection. */
  async rest(): Promise<string> {
    await this.closed;
    return this.#bytes.toString();
  }

  stopReading(): void {
    this.#socket.pause();
  }

  end(): void {
    this.#socket.end();
  }

  vanish(): void {
    this.#socket.destroy();
  }

  #awaitNews(): Promise<void> {
    return new Promise((resolve) => {
      this.#tell = () => {
        this.#news = this.#awaitNews();
        resolve();
      };
    });
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  async #until<T>(find: (bytes: Buffer) => T | undefined): Promise<T> {
    for (;;) {
      const found = find(this.#bytes);
      if (found !== undefined) return found;
      if (this.#socket.closed) throw new Error('the server closed the connection');
      await this.#news;
    }
  }
}

/** Where the payload of the first frame begins and ends, once all of it is there. */
function frameBounds(bytes: Buffer): [start: number, end: number] | undefined {
  const [, short] = bytes;
  if (short === undefined) return undefined;
  const start = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < start) return undefined;
  const length = start === 2 ? short : start === 4 ? bytes.readUInt16BE(2) : bytes.readUIntBE(4, 6);
  return bytes.length < start + length ? undefined : [start, start + length];
}
