import type { Socket } from 'node:net';

/**
 * Stops the reading of a socket that Node's HTTP parser reads, and lets it go on. Node resumes such a socket by itself
 * at the end of each message. It hears of a pause by the event, which a paused stream does not repeat.
 */
export class Reading {
  readonly #socket: Socket;
  #isStopped = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('resume', this.#hold);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#hold();
  }

  goOn(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#socket.resume();
  }

  /** Leaves the socket as it is. */
  release(): void {
    this.#socket.off('resume', this.#hold);
  }

  readonly #hold = (): void => {
    if (!this.#isStopped) return;
    if (this.#socket.isPaused()) this.#socket.emit('pause');
    else this.#socket.pause();
  };
}
