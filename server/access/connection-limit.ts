import type { Server, Socket } from 'node:net';
import type { Proxies } from './proxies.js';
import { sourceOf } from './source.js';

interface Limits {
  readonly perSource: number;
  readonly total: number;
  /** The clients behind a proxy come from many sources, so its connections count only in the total. */
  readonly proxies?: Proxies;
}

/** Why a connection is refused. */
export const TOO_MANY = 'too many connections';

/** Limits how many connections may be open, of one source and in all, over all protocols. */
export class ConnectionLimit {
  readonly #limits: Limits;
  readonly #bySource = new Map<string, number>();
  #count = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get proxies(): Proxies | undefined {
    return this.#limits.proxies;
  }

  /** Counts one more connection and returns true, or returns false when it is one too many. */
  take(source: string, perSource = this.#limits.perSource): boolean {
    const ofSource = this.#bySource.get(source) ?? 0;
    if (this.#count >= this.#limits.total || ofSource >= perSource) return false;
    this.#bySource.set(source, ofSource + 1);
    this.#count += 1;
    return true;
  }

  /** A counted connection has closed. */
  release(source: string): void {
    const ofSource = this.#bySource.get(source) ?? 0;
    if (ofSource > 1) this.#bySource.set(source, ofSource - 1);
    else this.#bySource.delete(source);
    this.#count -= 1;
  }

  /**
   * Counts the connections of a listener, before a TLS handshake, and closes those that are too many.
   * @param refused called for each connection that was closed
   */
  watch(server: Server, refused: (source: string, reason: string) => void): void {
    const counted = new WeakSet<Socket>();
    const { proxies, total } = this.#limits;
    server.on('connection', (socket) => {
      // The same connection comes again when its request for another protocol was not granted.
      if (counted.has(socket)) return;
      const address = socket.remoteAddress ?? '';
      const source = sourceOf(address);
      if (!this.take(source, proxies?.has(address) ? total : undefined)) {
        refused(source, TOO_MANY);
        socket.destroy();
        return;
      }
      counted.add(socket);
      socket.once('close', () => this.release(source));
    });
  }
}
