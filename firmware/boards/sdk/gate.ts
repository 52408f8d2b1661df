/**
 * A TCP socket for the SDK's TLS, which stands in front of it: each record is whole, of a bounded length and proved to be
 * right before the TLS sees it. The checks of the SDK's own TLS can be passed (8.2.3).
 */

import type { Timers } from '../../board.js';
import { Handshake, RECORD_HEADER } from '../../handshake.js';
import type { P256 } from '../../verify.js';

export interface SocketOptions {
  onReadable?: (count: number) => void;
  onWritable?: (count: number) => void;
  onError?: (reason?: unknown) => void;
}

/** A TCP or TLS socket (ECMA-419), as far as it is looked at here. */
export interface Socket {
  /** Into a buffer: as many bytes as it has. There are so many. */
  read(count?: unknown): unknown;
  write(data: ArrayBuffer | Uint8Array): number;
  close(): void;
}

export type SocketClass = new (options: SocketOptions) => Socket;

/**
 * The most that a record may carry, in bytes. The server is asked to keep to it (`tls_max_fragment_length`), and 4096 is
 * the most that can be asked for [RFC 6066 4]. A certificate must lie within one record: the SDK's TLS joins none.
 */
export const FRAGMENT_LENGTH = 4096;
/** A nonce and a tag [RFC 5288 3]. */
const CIPHER_OVERHEAD = 24;

/** For `mqtts`: the certificate of the server's authority, and the device's own with its key, all in DER. */
export interface Secure {
  authority: Uint8Array;
  clientCertificates?: ArrayBufferLike[] | undefined;
  clientKey?: ArrayBufferLike | undefined;
}

/** What the server is proved with. */
export interface GateParts {
  TCP: SocketClass;
  timers: Pick<Timers, 'set' | 'clear'>;
  p256: P256;
  now(): number;
}

/** For all that is called from outside. */
export type Guard = <T>(callback: ((value: T) => void) | undefined) => (value: T) => void;

/**
 * What the SDK's TLS is opened with. It keeps no session: one that is taken up again proves no certificate. (`ssl/cert`
 * asks the handshake.)
 */
export function securedBy(
  { authority, clientCertificates, clientKey }: Secure,
  host: string,
  { TCP, timers, p256, now }: GateParts,
  guard: Guard,
): object {
  const handshake = new Handshake({ authority, host, now }, p256);
  const limit = { tls_max_fragment_length: FRAGMENT_LENGTH };
  return {
    TCP: { io: gatedSocket(TCP, handshake, timers, guard) },
    secure: { handshake, clientCertificates, clientKey, cache: false, ...limit },
  };
}

/**
 * Until the server is proved, each public-key operation of the proof and each record for the TLS is in a turn of its own,
 * so that an edge of the door waits for one of them at most.
 */
export const gatedSocket = (
  TCP: SocketClass,
  handshake: Handshake,
  timers: GateParts['timers'],
  guard: Guard,
): SocketClass =>
  class implements Socket {
    private readonly tcp: Socket;
    private readonly onReadable: SocketOptions['onReadable'];
    /** How many bytes the TCP socket has. */
    private available = 0;
    private record = new Uint8Array(RECORD_HEADER);
    /** How much of the record has come, and how much of it the TLS has read: nothing more is taken from TCP until all. */
    private filled = 0;
    private taken = 0;
    private turn: object | undefined;
    /** TCP has ended; what came before is still looked at, for it may say why. */
    private over = false;
    private readonly onError: () => void;

    constructor(options: SocketOptions) {
      this.onReadable = options.onReadable;
      this.onError = guard<void>(() => options.onError?.());
      this.tcp = new TCP({
        ...options,
        onReadable: guard((count: number) => {
          this.available = count;
          this.fill();
        }),
        onWritable: guard(options.onWritable),
        onError: () => {
          this.over = true;
          if (this.turn === undefined) this.onError();
        },
      });
    }

    read(buffer: Uint8Array): number {
      buffer.set(this.record.subarray(this.taken, this.taken + buffer.length));
      this.taken += buffer.length;
      if (this.taken === this.record.length) {
        this.record = new Uint8Array(RECORD_HEADER);
        this.filled = 0;
        this.taken = 0;
        this.later(() => this.fill());
      }
      return buffer.length;
    }

    write(data: ArrayBuffer | Uint8Array): number {
      handshake.sent(data instanceof Uint8Array ? data : new Uint8Array(data));
      return this.tcp.write(data);
    }

    close(): void {
      timers.clear(this.turn);
      this.tcp.close();
    }

    private fill(): void {
      while (this.available > 0 && this.filled < this.record.length) {
        const count = Math.min(this.available, this.record.length - this.filled);
        this.tcp.read(this.record.subarray(this.filled, this.filled + count));
        this.available -= count;
        this.filled += count;
        if (this.filled === RECORD_HEADER && this.record.length === RECORD_HEADER) this.size();
        if (this.filled === this.record.length) this.complete();
      }
    }

    /** The header has come. */
    private size(): void {
      const header = this.record;
      const length = 256 * (header[3] ?? 0) + (header[4] ?? 0);
      if (length > FRAGMENT_LENGTH + CIPHER_OVERHEAD) throw new Error(`a TLS record of ${length} bytes`);
      this.record = new Uint8Array(RECORD_HEADER + length);
      this.record.set(header);
    }

    private complete(): void {
      const handOn = (): void => this.onReadable?.(this.record.length);
      if (handshake.proved) return handOn();
      this.later(() => {
        handshake.received(this.record);
        this.later(handOn);
      });
    }

    private later(callback: () => void): void {
      this.turn = timers.set(
        guard<void>(() => {
          this.turn = undefined;
          callback();
          if (this.over && this.turn === undefined) this.onError();
        }),
        0,
      );
    }
  };
