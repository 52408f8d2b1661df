import type { Socket } from 'node:net';

/** Bytes in a second, on average over `UNREAD_MS`, that a client takes at least of answers that wait for it. */
export const LEAST_BYTES_PER_SECOND = 1024;
/** Milliseconds after which a client is judged. */
export const UNREAD_MS = 30_000;
const LOOK_MS = 5000;

/** A stretch of time in which there were always bytes that the client had not taken. */
interface Stretch {
  readonly since: number;
  /** Bytes that the client had taken when it began. */
  readonly taken: number;
}

/** Closes connections whose clients ask and do not read the answers, or a byte now and then. */
export class UnreadAnswers {
  readonly #sockets = new Map<Socket, Stretch | undefined>();
  readonly #timer = setInterval(() => this.look(performance.now()), LOOK_MS).unref();

  watch(socket: Socket): void {
    this.#sockets.set(socket, undefined);
    socket.once('close', () => this.release(socket));
  }

  /** The socket is watched no longer. */
  release(socket: Socket): void {
    this.#sockets.delete(socket);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** @param now monotonic milliseconds */
  look(now: number): void {
    for (const [socket, stretch] of this.#sockets) {
      const waiting = socket.writableLength;
      const taken = socket.bytesWritten - waiting;
      if (waiting === 0) this.#sockets.set(socket, undefined);
      else if (stretch === undefined) this.#sockets.set(socket, { since: now, taken });
      else if (now - stretch.since >= UNREAD_MS) {
        const least = (LEAST_BYTES_PER_SECOND * (now - stretch.since)) / 1000;
        if (taken - stretch.taken < least) socket.destroy();
        else this.#sockets.set(socket, { since: now, taken });
      }
    }
  }
}
