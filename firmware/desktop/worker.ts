import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { encodeNetstring, NetstringReader } from './pipe.js';

interface WorkerListeners {
  /** The XS side asks and blocks until this returns. */
  onRequest: (message: Buffer) => Buffer;
  /** What the XS side says by itself, line by line: `print`, and the engine's own complaints. */
  onOutput: (line: string) => void;
  /** The process has ended or could not start; not called after {@link XsWorker.kill}. */
  onEnd: (why: string) => void;
}

/** Before what was returned, xsnap-worker tells what it took. */
const END_OF_METER = 1;

/** Hears what was thrown, or the bytes that were returned. */
type Done = (error: Error | null, result: Buffer) => void;

interface Job {
  readonly kind: 'e' | '?' | 'w';
  readonly bytes: () => Uint8Array;
  readonly done: Done;
}

/** One XS machine in a process of its own. It does one thing at a time: what comes meanwhile waits in order. */
export class XsWorker {
  readonly #process: ChildProcess;
  readonly #toWorker: Writable | undefined;
  readonly #listeners: WorkerListeners;
  readonly #reader = new NetstringReader();
  readonly #waiting: Job[] = [];
  #running: Job | undefined;
  #ended = false;

  /** `path` is the engine's, as `engine.ts` tells it. */
  constructor(path: string, listeners: WorkerListeners) {
    this.#listeners = listeners;
    this.#process = spawn(path, ['panel'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] });
    this.#process.on('error', (error) => this.#end(`the XS engine cannot be started: ${error.message}`));
    this.#process.on('close', (code, signal) => this.#end(`the XS engine has ended with ${signal ?? code}`));
    // Without a free file descriptor there is no pipe; `error` reports that.
    const [, stdout, stderr, toWorker, fromWorker] = this.#process.stdio ?? [];
    this.#toWorker = (toWorker as Writable) ?? undefined;
    // A worker that dies takes no more and answers no more; `close` reports its end.
    for (const pipe of [toWorker, fromWorker]) pipe?.on('error', () => undefined);
    fromWorker?.on('data', (chunk: Buffer) => this.#receive(chunk));
    for (const output of [stdout, stderr])
      if (output) createInterface(output as Readable).on('line', (line) => this.#say(line));
  }

  /** Evaluates a script. Rejects with what it throws, as text; does not settle when the worker dies. */
  evaluate(source: string): Promise<void> {
    return this.#ask('e', source);
  }

  /** Collects garbage, and writes all that is left in the machine to a file. Does not settle when the worker dies. */
  writeSnapshot(path: string): Promise<void> {
    return this.#ask('w', path);
  }

  /**
   * Calls the XS side's `handleCommand`; `done` is called when it has returned, or not at all when the worker dies. The
   * message is made when its turn has come.
   */
  command(message: () => Uint8Array, done: Done): void {
    this.#enqueue({ kind: '?', bytes: message, done });
  }

  /** Ends the process as a power cut ends a board: at once. Nothing is heard of it any more. */
  kill(): void {
    this.#ended = true;
    this.#process.kill('SIGKILL');
  }

  #ask(kind: Job['kind'], text: string): Promise<void> {
    return new Promise((done, failed) =>
      this.#enqueue({
        kind,
        bytes: () => Buffer.from(text),
        done: (error) => (error === null ? done() : failed(error)),
      }),
    );
  }

  #enqueue(job: Job): void {
    if (this.#ended) return;
    this.#waiting.push(job);
    this.#next();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    this.#running = this.#waiting.shift();
    if (this.#running !== undefined) this.#send(this.#running.kind, this.#running.bytes());
  }

  #send(kind: string, bytes: Uint8Array): void {
    this.#toWorker?.write(encodeNetstring(kind, bytes));
  }

  #receive(chunk: Buffer): void {
    this.#reader.push(chunk);
    for (let frame = this.#frame(); frame !== undefined; frame = this.#frame()) {
      this.#take(String.fromCharCode(frame[0] ?? 0), frame.subarray(1));
    }
  }

  #frame(): Buffer | undefined {
    if (this.#ended) return undefined;
    try {
      return this.#reader.next();
    } catch (error) {
      this.#end(`the XS engine speaks nonsense: ${(error as Error).message}`);
      this.kill();
      return undefined;
    }
  }

  #take(kind: string, bytes: Buffer): void {
    if (kind === '?') {
      const answer = this.#listeners.onRequest(bytes);
      if (!this.#ended) this.#send('/', answer);
      return;
    }
    const job = this.#running;
    this.#running = undefined;
    const result = bytes.subarray(bytes.indexOf(END_OF_METER) + 1);
    job?.done(kind === '!' ? new Error(bytes.toString()) : null, result);
    this.#next();
  }

  #say(line: string): void {
    if (!this.#ended) this.#listeners.onOutput(line);
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listeners.onEnd(why);
  }
}
