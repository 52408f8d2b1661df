import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { LimitReached, ProtocolViolation } from './packet.js';

/** Before the payload of one frame (RFC 6455, 5.2). */
const FRAME_HEADER_BYTES = 14;
const UNSUPPORTED_DATA = 1003;
/** The codes of ws for a message that is too long or has too many parts. */
const LIMITS = /^WS_ERR_(UNSUPPORTED_\w+_LENGTH|TOO_MANY_\w+)$/;

/**
 * A WebSocket as the stream of bytes that it carries: a packet may begin and end anywhere in its messages [MQTT-6.0.0-4].
 * The stream that ws offers accepts text, sends one message for each packet, and reads on while it is paused.
 */
export class WebSocketStream extends Duplex {
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  /** What came and is no whole message yet. Undefined once the client is let in. */
  #unheard: { readonly limit: number; bytes: number } | undefined;

  /**
   * @param socket what carries the WebSocket
   * @param firstMessageBytes the longest message until the client is {@link admitted}; after that ws bounds it alone
   */
  constructor(webSocket: WebSocket, socket: Duplex, firstMessageBytes: number) {
    super({ allowHalfOpen: false });
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#unheard = { limit: firstMessageBytes + FRAME_HEADER_BYTES, bytes: 0 };
    socket.prependListener('data', this.#judge);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    webSocket.on('error', (error) => this.destroy(violationOf(error)));
    webSocket.on('close', () => this.destroyed || this.push(null));
  }

  /** The client is let in: its messages may be longer. */
  admitted(): void {
    this.#unheard = undefined;
    this.#socket.off('data', this.#judge);
  }

  override pause(): this {
    this.#webSocket.pause();
    return super.pause();
  }

  override resume(): this {
    this.#webSocket.resume();
    return super.resume();
  }

  /** Node asks a paused stream for some bytes ahead. It is given none. */
  override _read(): void {
    if (!this.isPaused()) this.#webSocket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#webSocket.send(chunk, done);
  }

  /** One message for all that was written together. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error) => void): void {
    this.#webSocket.send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.#webSocket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { readyState, CLOSED } = this.#webSocket;
    if (readyState === CLOSED) return done(error);
    this.#webSocket.once('close', () => done(error));
    this.#webSocket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#unheard !== undefined) this.#unheard.bytes = 0;
    if (this.destroyed) return;
    if (!isBinary) {
      this.#webSocket.close(UNSUPPORTED_DATA);
      this.destroy(new ProtocolViolation('a text frame [MQTT-6.0.0-1]'));
    } else if (!this.push(data)) this.#webSocket.pause();
  }

  /** Called before ws sees a chunk. The chunks before it since the last message are not a whole message. */
  readonly #judge = (chunk: Buffer): void => {
    const unheard = this.#unheard;
    if (unheard === undefined) return;
    if (unheard.bytes > unheard.limit) this.destroy(new LimitReached('a long message before the CONNECT'));
    unheard.bytes += chunk.length;
  };
}

/** Every error of ws is a fault of the client: it broke RFC 6455 or went beyond a limit. */
function violationOf({ message, code = '' }: NodeJS.ErrnoException): ProtocolViolation {
  return LIMITS.test(code) ? new LimitReached(message) : new ProtocolViolation(message);
}
