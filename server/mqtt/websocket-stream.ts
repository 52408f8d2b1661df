import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { LimitReached, ProtocolViolation } from './packet.js';

/** The longest header of a frame (RFC 6455, 5.2). */
const FRAME_HEADER_BYTES = 14;
const UNSUPPORTED_DATA = 1003;
/** The error codes of ws for a message that is too long or has too many parts. */
const LIMITS = /^WS_ERR_(UNSUPPORTED_\w+_LENGTH|TOO_MANY_\w+)$/;

/**
 * A WebSocket as a stream of bytes. A packet may begin and end anywhere in a message [MQTT-6.0.0-4]. The stream of ws
 * itself is not used, because it accepts text, sends one message for each packet, and reads on while it is paused.
 *
 * The messages that come together are read as one chunk, because a client may send each byte as a message. Before it,
 * the event `frames` tells how many messages, pings and pongs came, because each of them is work.
 */
export class WebSocketStream extends Duplex {
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  /** Counts the bytes of a message that is not complete. Undefined when the client is admitted. */
  #unheard: { readonly limit: number; bytes: number } | undefined;
  /** What came in this turn. */
  #messages: Buffer[] = [];
  #frames = 0;

  /**
   * @param socket the socket below the WebSocket
   * @param firstMessageBytes the longest message until the client is {@link admitted}. Later only ws limits it.
   */
  constructor(webSocket: WebSocket, socket: Duplex, firstMessageBytes: number) {
    super({ allowHalfOpen: false });
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#unheard = { limit: firstMessageBytes + FRAME_HEADER_BYTES, bytes: 0 };
    socket.prependListener('data', this.#count);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    webSocket.on('ping', () => this.#countFrame());
    webSocket.on('pong', () => this.#countFrame());
    webSocket.on('error', (error) => this.destroy(violationOf(error)));
    webSocket.on('close', () => {
      this.#give();
      if (!this.destroyed) this.push(null);
    });
  }

  /** The client is admitted, so its messages may be longer. */
  admitted(): void {
    this.#unheard = undefined;
    this.#socket.off('data', this.#count);
  }

  override pause(): this {
    this.#webSocket.pause();
    return super.pause();
  }

  override resume(): this {
    this.#webSocket.resume();
    return super.resume();
  }

  /** Node reads ahead in a paused stream. Here a paused stream gives nothing. */
  override _read(): void {
    if (!this.isPaused()) this.#webSocket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#webSocket.send(chunk, done);
  }

  /** Sends one message for everything that was written together. */
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
      return;
    }
    // It is a Buffer, because the WebSocket has no other `binaryType`.
    this.#messages.push(data as Buffer);
    this.#countFrame();
  }

  #countFrame(): void {
    this.#frames += 1;
    if (this.#frames === 1) queueMicrotask(this.#give);
  }

  readonly #give = (): void => {
    const [messages, frames] = [this.#messages, this.#frames];
    this.#messages = [];
    this.#frames = 0;
    if (frames > 0) this.emit('frames', frames);
    if (messages.length === 0 || this.destroyed) return;
    const [first] = messages;
    if (!this.push(messages.length === 1 ? first : Buffer.concat(messages))) this.#webSocket.pause();
  };

  /** Runs before ws sees a chunk. The counted bytes are those since the last complete message. */
  readonly #count = (chunk: Buffer): void => {
    const unheard = this.#unheard;
    if (unheard === undefined) return;
    if (unheard.bytes > unheard.limit) this.destroy(new LimitReached('a long message before the CONNECT'));
    unheard.bytes += chunk.length;
  };
}

/** Every error of ws is a fault of the client. It broke RFC 6455 or exceeded a limit. */
function violationOf({ message, code = '' }: NodeJS.ErrnoException): ProtocolViolation {
  return LIMITS.test(code) ? new LimitReached(message) : new ProtocolViolation(message);
}
