/** A board in memory whose time, door, network and server the test moves. */

import './xs-globals.js';
import type {
  Board,
  Input,
  MqttClient,
  MqttOptions,
  Network,
  Output,
  PanelStatus,
  Start,
  Time,
  Timers,
} from '../../firmware/board.js';
import { DEFAULTS, type PanelConfig } from '../../firmware/config.js';
import { MemoryMqtt } from './memory-mqtt.js';
import { MemoryStore } from './memory-store.js';

/** 2026-01-02T03:04:05Z. */
export const A_DATE = 1_767_323_045_000;

interface Waiting {
  callback: () => void;
  at: number;
  interval: number | undefined;
}

export class MemoryTimers implements Timers {
  ticks = 0;
  readonly waiting = new Set<Waiting>();

  set(callback: () => void, delay: number): Waiting {
    return this.#add({ callback, at: this.ticks + delay, interval: undefined });
  }

  repeat(callback: () => void, interval: number): Waiting {
    return this.#add({ callback, at: this.ticks + interval, interval });
  }

  clear(timer: Waiting): void {
    this.waiting.delete(timer);
  }

  /** Lets the time pass: every timer that comes due fires, at its own moment. */
  advance(duration: number): void {
    const end = this.ticks + duration;
    for (let next = this.#first(end); next !== undefined; next = this.#first(end)) {
      this.ticks = Math.max(this.ticks, next.at);
      if (next.interval === undefined) this.waiting.delete(next);
      else next.at += next.interval;
      next.callback();
    }
    this.ticks = end;
  }

  /** Lets the time pass until the next timer is due, and fires it. */
  advanceToNext(): void {
    const next = this.#first(Number.POSITIVE_INFINITY);
    if (next === undefined) throw new Error('no timer is running');
    this.advance(Math.max(0, next.at - this.ticks));
  }

  #add(timer: Waiting): Waiting {
    this.waiting.add(timer);
    return timer;
  }

  #first(end: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const timer of this.waiting)
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    return first;
  }
}

export class MemoryOutput implements Output {
  on = false;
  readonly writes: { on: boolean; at: number }[] = [];
  readonly #timers: MemoryTimers;

  constructor(timers: MemoryTimers) {
    this.#timers = timers;
  }

  write(on: boolean): void {
    this.on = on;
    this.writes.push({ on, at: this.#timers.ticks });
  }
}

export class MemoryBoard implements Board {
  readonly config: PanelConfig;
  readonly storage: MemoryStore;
  readonly timers = new MemoryTimers();
  readonly siren = new MemoryOutput(this.timers);
  readonly led = new MemoryOutput(this.timers);
  readonly beeper = new MemoryOutput(this.timers);
  readonly lines: string[] = [];
  readonly shown: Omit<PanelStatus, 'contacts' | 'state' | 'mode' | 'delayEnd' | 'refused'>[] = [];
  /** What was shown, the state of the alarm included. */
  readonly statuses: PanelStatus[] = [];
  /** Every connection that was opened, the latest last. */
  readonly clients: MemoryMqtt[] = [];
  readonly queries: ((now: number | undefined) => void)[] = [];
  /** Set before the panel starts. */
  start: Start = { wanted: true, reason: 'power on' };
  systemClock = 0;
  restarts = 0;
  networkStarts = 0;
  randomNumber = 0.5;
  /** Thrown by the next calls of {@link mqtt}. */
  mqttError: Error | undefined;
  /** Of each contact, what its input reads. */
  readonly levels: number[];
  readonly #onEdge: ((at?: number) => void)[] = [];
  #onNetwork = (): void => {};
  #networkUp = true;

  constructor(settings: Partial<PanelConfig> = {}, storage = new MemoryStore()) {
    this.config = { ...DEFAULTS, server: 'mqtt://server:1883', device: 'panel', ...settings };
    this.storage = storage;
    this.levels = this.config.contacts.map(() => 0);
  }

  /** Of the first contact. */
  get level(): number {
    return this.levels[0] ?? 0;
  }

  set level(level: number) {
    this.levels[0] = level;
  }

  readonly time: Time = {
    ticks: () => this.timers.ticks,
    now: () => this.systemClock,
    set: (now) => {
      this.systemClock = now;
    },
    query: (done) => {
      this.queries.push(done);
    },
  };

  get client(): MemoryMqtt {
    const client = this.clients.at(-1);
    if (client === undefined) throw new Error('no connection was opened');
    return client;
  }

  advance(duration: number): void {
    this.timers.advance(duration);
  }

  /** Lets the time pass until one more connection is opened, and returns how long that took. */
  advanceToConnection(): number {
    const since = this.timers.ticks;
    const before = this.clients.length;
    while (this.clients.length === before) this.timers.advanceToNext();
    return this.timers.ticks - since;
  }

  contact(index: number, onEdge: (at?: number) => void): Input {
    this.#onEdge[index] = onEdge;
    return { read: () => this.levels[index] ?? 0 };
  }

  /** An edge, when the level is another one. `at` is when it occurred, where the board says that. */
  setLevel(level: number, at?: number, index = 0): void {
    if (level === this.levels[index]) return;
    this.levels[index] = level;
    this.edge(at, index);
  }

  /** An interrupt, whatever the level. */
  edge(at?: number, index = 0): void {
    this.#onEdge[index]?.(at);
  }

  network(onChange: () => void): Network {
    this.networkStarts += 1;
    this.#onNetwork = onChange;
    const isUp = (): boolean => this.#networkUp;
    return {
      get online() {
        return isUp();
      },
    };
  }

  setNetwork(up: boolean): void {
    this.#networkUp = up;
    this.#onNetwork();
  }

  mqtt(options: MqttOptions): MqttClient {
    if (this.mqttError !== undefined) throw this.mqttError;
    const client = new MemoryMqtt(options);
    this.clients.push(client);
    return client;
  }

  random = (): number => this.randomNumber;

  trace(line: string): void {
    this.lines.push(line);
  }

  show(status: PanelStatus): void {
    const { contacts, state, mode, delayEnd, refused, ...shown } = status;
    this.statuses.push(status);
    this.shown.push(shown);
  }

  restart(): void {
    this.restarts += 1;
  }

  /** How many trace lines have this in them. */
  traced(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }
}
