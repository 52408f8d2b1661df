import type { Server, Socket } from 'node:net';
import type { Proxies } from './proxies.js';
import { sourceOf } from './source.js';

export interface ConnectionLimits {
  readonly perSource: number;
  readonly total: number;
  /** The clients behind a proxy come from many sources: its connections count in the total only. */
  readonly proxies?: Proxies;
}

/** How many connections may be open, of one source and in all, whatever protocol they speak. */
export class ConnectionLimit {
  readonly #limits: ConnectionLimits;
  readonly #open = new Map<string, number>();
  #count = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Counts one more. False: it is one too many and was not counted. Else `release` is called for it once. */
  take(source: string, perSource = this.#limits.perSource): boolean {
    const ofSource = this.#open.get(source) ?? 0;
    if (this.#count >= this.#limits.total || ofSource >= perSource) return false;
    this.#open.set(source, ofSource + 1);
    this.#count += 1;
    return true;
  }

  release(source: string): void {
    const ofSource = this.#open.get(source) ?? 0;
    if (ofSource > 1) this.#open.set(source, ofSource - 1);
    else this.#open.delete(source);
    this.#count -= 1;
  }

  /**
   * Counts the connections of a listener, before a TLS handshake where it makes one, and ends at once what is one too many.
   * @param refused is told the source of each that was ended
   */
  watch(server: Server, refused: (source: string) => void): void {
    const counted = new WeakSet<Socket>();
    const { proxies, total } = this.#limits;
    server.on('connection', (socket) => {
      // A connection comes again when its request for another protocol was not granted.
      if (counted.has(socket)) return;
      const address = socket.remoteAddress ?? '';
      const source = sourceOf(address);
      if (!this.take(source, proxies?.has(address) ? total : undefined)) {
        refused(source);
        socket.destroy();
        return;
      }
      counted.add(socket);
      socket.once('close', () => this.release(source));
    });
  }
}
