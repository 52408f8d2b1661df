import type { Duplex } from 'node:stream';
import type { MqttLimits } from './endpoint.js';

type BufferLimits = Pick<MqttLimits, 'bufferBytes' | 'bufferMs'>;

export interface OutputEvents {
  /** The client reads again. */
  relieved(): void;
  /** The client has been slow for too long. */
  stuck(): void;
}

let waiting: Output[] = [];

function flushAll(): void {
  const outputs = waiting;
  waiting = [];
  for (const output of outputs) output.flush();
}

/** The packets on their way to one client. Those that one turn of the event loop adds leave in one write, at its end. */
export class Output {
  readonly #stream: Duplex;
  readonly #limits: BufferLimits;
  readonly #events: OutputEvents;
  #packets: Buffer[] = [];
  #bytes = 0;
  #slow: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(stream: Duplex, limits: BufferLimits, events: OutputEvents) {
    this.#stream = stream;
    this.#limits = limits;
    this.#events = events;
  }

  /** The client does not read what it is sent. Nothing more should be done for it until it reads. */
  get isFull(): boolean {
    return this.#bytes + this.#stream.writableLength > this.#limits.bufferBytes;
  }

  add(packet: Buffer): void {
    if (this.#closed) return;
    this.#bytes += packet.length;
    if (this.#packets.push(packet) === 1 && waiting.push(this) === 1) process.nextTick(flushAll);
  }

  flush(): void {
    const packets = this.#packets;
    const last = packets.pop();
    if (last === undefined) return;
    const slow = this.isFull;
    this.#packets = [];
    this.#bytes = 0;
    if (packets.length > 0) this.#stream.cork();
    for (const packet of packets) this.#stream.write(packet);
    if (slow) this.#stream.write(last, this.#taken);
    else this.#stream.write(last);
    if (packets.length > 0) this.#stream.uncork();
    if (this.isFull) this.#slow ??= setTimeout(this.#judge, this.#limits.bufferMs);
  }

  /** Nothing more is sent; what was added before still is. */
  close(): void {
    this.flush();
    this.#closed = true;
    clearTimeout(this.#slow);
  }

  readonly #taken = (): void => {
    if (this.#closed || this.isFull) return;
    clearTimeout(this.#slow);
    this.#slow = undefined;
    this.#events.relieved();
  };

  readonly #judge = (): void => {
    this.#slow = undefined;
    if (this.isFull) this.#events.stuck();
  };
}
