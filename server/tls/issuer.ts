import type { Worker } from 'node:worker_threads';
import type { CertificateRequest } from './issue.js';
import type { Answer, Question } from './issuer-thread.js';
import type { KeyPair } from './key-pair.js';
import { startThread } from './thread.js';

/** How long the thread waits for the next request. Certificates are rarely made. */
const IDLE_MS = 10_000;

interface Waiting {
  resolve(pair: KeyPair): void;
  reject(error: Error): void;
}

/**
 * Makes certificates in another thread, because loading the library would block the main thread for longer than an
 * alarm may wait. The thread exists only while it is used.
 */
export class Issuer {
  #thread: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #idle: NodeJS.Timeout | undefined;

  /** Rejects when the certificate cannot be made. */
  issue(request: CertificateRequest): Promise<KeyPair> {
    clearTimeout(this.#idle);
    this.#thread ??= this.#start();
    this.#thread.ref();
    const id = this.#asked++;
    this.#thread.postMessage({ id, request } satisfies Question);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const thread = this.#thread;
    // A request that comes while this thread ends starts another.
    if (this.#waiting.size === 0) this.#thread = undefined;
    await thread?.terminate();
  }

  #start(): Worker {
    const thread = startThread();
    thread.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('pair' in answer) waiting?.resolve(answer.pair);
      else waiting?.reject(new Error(`no certificate could be made: ${answer.reason}`));
      if (this.#waiting.size === 0) this.#rest(thread);
    });
    thread.on('error', (error) => this.#lost(thread, error));
    thread.on('exit', () => this.#lost(thread, new Error('the thread that makes certificates has ended')));
    return thread;
  }

  /** An idle thread does not keep the process alive. */
  #rest(thread: Worker): void {
    thread.unref();
    this.#idle = setTimeout(() => this.close(), IDLE_MS);
    this.#idle.unref();
  }

  /** The waiting requests fail, and the next request starts a new thread. */
  #lost(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
