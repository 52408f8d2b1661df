/** One program under power: an XS machine, and what it asks of its board. A power cut ends it and its memory. */

import { randomInt } from 'node:crypto';
import type { Start } from '../board.js';
import {
  Connection,
  type ConnectionSettings,
  type OpenRequest,
  type Tell,
  type WriteOptions,
} from './mqtt.js';
import { decodeMessage, encodeMessage } from './pipe.js';
import { type Bundle, explained } from './trace.js';
import { XsWorker } from './worker.js';

export interface MachinePorts {
  /** The path of the XS engine. */
  readonly engine: string;
  readonly config: object;
  /** Why it starts, as the board tells it to the panel. */
  readonly start: Start;
  readonly connection: ConnectionSettings;
  readonly flash: {
    read(key: string): Buffer | undefined;
    write(key: string, value: Uint8Array): void;
  };
  readonly clock: { now(): number; set(now: number): void };
  /** What the time server says, in milliseconds since 1970; undefined: nothing. */
  timeServer(): number | undefined;
  readonly network: { readonly accessPoint: boolean; readonly dhcp: boolean };
  /** 0 or 1, or a voltage as a part of what can be measured. */
  readPin(pin: string): number;
  writePin(pin: string, level: 0 | 1): void;
  show(status: object): void;
  trace(line: string): void;
  /** A turn of the program is over: what it wrote to pins and showed belongs together. */
  turned(): void;
  /** The program has ended itself, or the engine died. Only power starts it again. */
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
/** Node's timers fire at once beyond this. A longer timer fires after this time instead. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;
const NOTHING: Buffer = Buffer.alloc(0);
const ENDS = new Set<string>(['close', 'error']);

/** States of a Wi-Fi station, as the SDK has them. */
const DISCONNECTED = 200;
const CONNECTING = 300;
const CONNECTED = 400;
const WITH_ADDRESS = 500;

export class Machine {
  readonly #ports: MachinePorts;
  readonly #bundle: Bundle;
  readonly #worker: XsWorker;
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #connections = new Map<number, Connection>();
  readonly #begun = performance.now();
  /** The pins that the program has read. Their levels come with each event, because a question takes 0.1 ms. */
  readonly #pins = new Set<string>();
  #over = false;
  /** What the program last asked of the Wi-Fi. */
  #association: 'never asked for' | 'wanted' | 'given up' = 'never asked for';

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

  /** Reports an edge, to either level. The program reads the level that it finds. */
  edge(pin: string): void {
    this.#tell({ event: 'edge', pin });
  }

  /** The network has come or gone; when it has gone, connections go with it. */
  networkChanged(): void {
    if (!this.#isOnline) this.#loseConnections();
    this.#tell({ event: 'wifi' });
  }

  /** Calls back when the program has dealt with all events before. */
  afterTurn(done: () => void): void {
    if (this.#over) done();
    else this.#tell({ event: 'turn' }, undefined, done);
  }

  freezeConnections(): void {
    for (const connection of this.#connections.values()) connection.freeze();
  }

  /** All that the machine holds and still needs, in the engine's own form. */
  writeSnapshot(path: string): Promise<void> {
    return this.#worker.writeSnapshot(path);
  }

  powerOff(): void {
    this.#over = true;
    this.#worker.kill();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#loseConnections();
  }

  /** A program that has nothing to do with Wi-Fi finds the network as it is. */
  get #isOnline(): boolean {
    const { accessPoint, dhcp } = this.#ports.network;
    return accessPoint && dhcp && this.#association !== 'given up';
  }

  get #station(): { connection: number; address?: string } {
    if (this.#association !== 'wanted') return { connection: DISCONNECTED };
    if (!this.#ports.network.accessPoint) return { connection: CONNECTING };
    if (!this.#ports.network.dhcp) return { connection: CONNECTED };
    return { connection: WITH_ADDRESS, address: '127.0.0.1' };
  }

  /** Milliseconds. A clock that is set does not move them. */
  get #ticks(): number {
    return performance.now() - this.#begun;
  }

  get #levels(): object {
    return Object.fromEntries([...this.#pins].map((pin) => [pin, this.#ports.readPin(pin)]));
  }

  #loseConnections(): void {
    for (const connection of this.#connections.values()) connection.lose();
  }

  #tell(head: object, bytes?: Uint8Array, heard = (): void => undefined): void {
    if (this.#over) return;
    const message = (): Buffer => encodeMessage({ ...head, ticks: this.#ticks, levels: this.#levels }, bytes);
    this.#worker.command(message, (error, told) => {
      if (error === null && told.length > 0) this.#hear(decodeMessage<Request[]>(told).head);
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
    for (const line of explained(this.#bundle, text).split('\n')) this.#ports.trace(line);
  }

  #answer(message: Buffer): Buffer {
    const { head, bytes } = decodeMessage<Request[]>(message);
    const asked = head.pop();
    this.#hear(head);
    const answer = asked && this.#carryOut(asked, bytes);
    return answer instanceof Block ? encodeMessage(answer.head, answer.bytes) : encodeMessage(answer ?? {});
  }

  /** Carries out what the program told and waits for no answer. */
  #hear(told: Request[]): void {
    for (const request of told) if (!this.#over) this.#carryOut(request);
  }

  #carryOut(head: Request, bytes = NOTHING): unknown {
    return (this.#requests[head.request] ?? unknown)(head, bytes);
  }

  readonly #requests: Record<string, (head: Request, bytes: Buffer) => unknown> = {
    config: () => ({ config: this.#ports.config }),
    start: () => ({ start: this.#ports.start }),
    exception: ({ stack }) => {
      this.#trace(`uncaught exception: ${stack}`);
      this.#restart();
    },
    restart: () => this.#restart(),
    trace: ({ line }) => this.#trace(line),
    show: ({ status }) => this.#ports.show(status),
    random: () => ({ number: randomInt(RANDOM_RANGE) / RANDOM_RANGE }),
    wifi: () => this.#station,
    'wifi.connect': () => {
      this.#association = 'wanted';
      setImmediate(() => this.#tell({ event: 'wifi' }));
    },
    'wifi.disconnect': () => {
      this.#association = 'given up';
      this.#loseConnections();
    },
    ticks: () => ({ ticks: this.#ticks }),
    'time.now': () => ({ now: this.#ports.clock.now() }),
    'time.set': ({ now }) => this.#ports.clock.set(now),
    sntp: ({ id }) => {
      const now = this.#isOnline ? this.#ports.timeServer() : undefined;
      const seconds = now && now / 1000;
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
    'pin.read': ({ pin }) => {
      this.#pins.add(pin);
      return { level: this.#ports.readPin(pin) };
    },
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
    if (this.#isOnline) this.#connections.set(id, new Connection(request, this.#ports.connection, tell));
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
