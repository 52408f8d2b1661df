/** One powered-on program: an XS machine, and what it asks of the world. Power off ends it with all it knows. */

import { randomInt } from 'node:crypto';
import type { Bundle } from './bundle.js';
import { decodeMessage, encodeMessage } from './message.js';
import {
  Connection,
  type ConnectionSettings,
  type OpenRequest,
  type Tell,
  type WriteOptions,
} from './mqtt.js';
import { XsWorker } from './worker.js';

export interface MachinePorts {
  /** The path of the XS engine. */
  readonly engine: string;
  readonly config: object;
  readonly connection: ConnectionSettings;
  readonly flash: {
    read(key: string): Buffer | undefined;
    write(key: string, value: Uint8Array): void;
  };
  readonly clock: { now(): number; set(now: number): void };
  isOnline(): boolean;
  readPin(pin: string): 0 | 1;
  writePin(pin: string, level: 0 | 1): void;
  show(status: object): void;
  trace(line: string): void;
  /** A turn of the program is over: what it wrote to pins and showed belongs together. */
  turned(): void;
  /** The program ends: by its own wish, or because the engine died. Power has to come back. */
  ended(): void;
}

interface Request {
  request: string;
  id: number;
  key: string;
  delay: number;
  repeats: boolean;
  pin: string;
  level: 0 | 1;
  now: number;
  line: string;
  stack: string;
  status: object;
  options: WriteOptions;
}

/** An answer that has bytes as well; any other object is its own head, and nothing is an empty one. */
class Block {
  constructor(
    readonly head: object,
    readonly bytes: Buffer,
  ) {}
}

const RANDOM_RANGE = 2 ** 47;
/** Beyond this, Node's timers fire at once: one that is to take longer is early instead. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;
const ENDS = new Set<string>(['close', 'error']);

export class Machine {
  readonly #ports: MachinePorts;
  readonly #bundle: Bundle;
  readonly #worker: XsWorker;
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #connections = new Map<number, Connection>();
  readonly #begun = performance.now();
  #over = false;

  constructor(bundle: Bundle, ports: MachinePorts) {
    this.#bundle = bundle;
    this.#ports = ports;
    this.#worker = new XsWorker(ports.engine, {
      onRequest: (message) => this.#answer(message),
      onOutput: (line) => this.#trace(line),
      onEnd: (why) => this.#die(why),
    });
    this.#worker.evaluate(bundle.source).then(
      () => this.#turned(null),
      (error: Error) => this.#turned(error),
    );
  }

  /** Both ends of an edge are told; the program reads the level that it finds. */
  edge(pin: string): void {
    this.#tell({ event: 'edge', pin });
  }

  /** The network has come or gone; when it has gone, connections go with it. */
  networkChanged(): void {
    if (!this.#ports.isOnline()) for (const connection of this.#connections.values()) connection.lose();
    this.#tell({ event: 'network' });
  }

  freezeConnections(): void {
    for (const connection of this.#connections.values()) connection.freeze();
  }

  powerOff(): void {
    this.#over = true;
    this.#worker.kill();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const connection of this.#connections.values()) connection.lose();
  }

  #tell(head: object, bytes?: Uint8Array, heard = (): void => undefined): void {
    if (this.#over) return;
    this.#worker.command(encodeMessage(head, bytes), (error) => {
      this.#turned(error);
      heard();
    });
  }

  #turned(error: Error | null): void {
    if (error !== null) this.#die(`uncaught exception: ${error.message}`);
    else if (!this.#over) this.#ports.turned();
  }

  #die(why: string): void {
    if (this.#over) return;
    this.#trace(why);
    this.#restart();
  }

  #restart(): void {
    if (this.#over) return;
    this.powerOff();
    this.#ports.ended();
  }

  #trace(text: string): void {
    for (const line of this.#bundle.explain(text).split('\n')) this.#ports.trace(line);
  }

  #answer(message: Buffer): Buffer {
    const { head, bytes } = decodeMessage<Request>(message);
    const carryOut = this.#requests[head.request] ?? unknown;
    const answer = carryOut(head, bytes);
    return answer instanceof Block ? encodeMessage(answer.head, answer.bytes) : encodeMessage(answer ?? {});
  }

  readonly #requests: Record<string, (head: Request, bytes: Buffer) => unknown> = {
    config: () => ({ config: this.#ports.config }),
    exception: ({ stack }) => {
      this.#trace(`uncaught exception: ${stack}`);
      this.#restart();
    },
    restart: () => this.#restart(),
    trace: ({ line }) => this.#trace(line),
    show: ({ status }) => this.#ports.show(status),
    random: () => ({ number: randomInt(RANDOM_RANGE) / RANDOM_RANGE }),
    network: () => ({ online: this.#ports.isOnline() }),
    'time.ticks': () => ({ ticks: performance.now() - this.#begun }),
    'time.now': () => ({ now: this.#ports.clock.now() }),
    'time.set': ({ now }) => this.#ports.clock.set(now),
    // This machine's clock is the time server.
    sntp: ({ id }) => {
      const seconds = this.#ports.isOnline() ? Date.now() / 1000 : undefined;
      setImmediate(() => this.#tell({ event: 'sntp', id, seconds }));
    },
    'timer.set': ({ id, delay, repeats }) => {
      const wait = Math.min(delay, LONGEST_DELAY_MS);
      this.#timers.set(id, repeats ? this.#repeat(id, wait) : this.#once(id, wait));
    },
    'timer.clear': ({ id }) => {
      clearTimeout(this.#timers.get(id));
      this.#timers.delete(id);
    },
    'pin.read': ({ pin }) => ({ level: this.#ports.readPin(pin) }),
    'pin.write': ({ pin, level }) => this.#ports.writePin(pin, level),
    'flash.read': ({ key }) => {
      const bytes = this.#ports.flash.read(key);
      return bytes === undefined ? { found: false } : new Block({ found: true }, bytes);
    },
    'flash.write': ({ key }, bytes) => attempt(() => this.#ports.flash.write(key, bytes)),
    'mqtt.open': (head) => attempt(() => this.#open(head.id, head as unknown as OpenRequest)),
    'mqtt.write': ({ id, options }, bytes) =>
      attempt(() => ({ writable: this.#connections.get(id)?.write(bytes, options) ?? 0 })),
    'mqtt.close': ({ id }) => {
      this.#connections.get(id)?.close();
      this.#connections.delete(id);
    },
  };

  #once(id: number, delay: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timers.delete(id);
      this.#tell({ event: 'timer', id });
    }, delay);
  }

  /** What a program that is busy misses of its interval is not made up for afterwards. */
  #repeat(id: number, interval: number): NodeJS.Timeout {
    let onTheWay = false;
    return setInterval(() => {
      if (onTheWay) return;
      onTheWay = true;
      this.#tell({ event: 'timer', id }, undefined, () => {
        onTheWay = false;
      });
    }, interval);
  }

  #open(id: number, request: OpenRequest): void {
    const tell: Tell = (event, bytes, heard) => {
      if (ENDS.has(event.what)) this.#connections.delete(id);
      this.#tell({ event: 'mqtt', id, ...event }, bytes, heard);
    };
    if (this.#ports.isOnline())
      this.#connections.set(id, new Connection(request, this.#ports.connection, tell));
    else setImmediate(() => this.#tell({ event: 'mqtt', id, what: 'error' }));
  }
}

const unknown = ({ request }: Request): object => ({ error: `${request} is no request` });

/** What went wrong is for the program to handle. */
function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return { error: (error as Error).message };
  }
}
