import { Worker } from 'node:worker_threads';
import type { CertificateRequest } from './issue.js';
import type { Answer, Question } from './issuer-thread.js';
import type { KeyPair } from './key-pair.js';

/** Certificates are rarely made: the thread does not wait long for the next request. */
const IDLE_MS = 10_000;

/** tsx does not reach into a thread by itself. */
const BEGIN = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./issuer-thread.ts', import.meta.url).href)});
});`;

interface Waiting {
  resolve(pair: KeyPair): void;
  reject(error: Error): void;
}

/**
 * Makes certificates beside the main thread, which loading the library would hold up for longer than an alarm may wait.
 * The thread is there only while it is used.
 */
export class Issuer {
  #thread: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #idle: NodeJS.Timeout | undefined;

  /** Rejects when it cannot be made. */
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
    // Who asks while it ends is served by another.
    if (this.#waiting.size === 0) this.#thread = undefined;
    await thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(BEGIN, { eval: true });
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

  /** An idle thread keeps no process from ending. */
  #rest(thread: Worker): void {
    thread.unref();
    this.#idle = setTimeout(() => this.close(), IDLE_MS);
    this.#idle.unref();
  }

  /** Whoever waits is told, and the next request begins a new thread. */
  #lost(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
