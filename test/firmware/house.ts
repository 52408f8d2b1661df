/** A house with seven contacts: a panel on a board in memory, its server, and the people who come and go. */

import type { ContactConfig, PanelConfig } from '../../firmware/config.js';
import { start } from '../../firmware/start.js';
import { type JsonObject, mergePatch } from '../../shared/document.js';
import type { CurrentDocument, DesiredDocument } from '../../shared/panel.js';
import { A_DATE, MemoryBoard } from './memory-board.js';
import type { MemoryMqtt } from './memory-mqtt.js';
import { MemoryStore } from './memory-store.js';

export const SECOND = 1000;
const OWN = '$SCW/twins/me/';
/** How often the server looks at what has come, in milliseconds. */
const TURN = 50;
/** While more than so much time passes it looks less often. */
const LONG = 1000;
const LONG_TURN = 250;

export const CONTACTS: readonly ContactConfig[] = [
  { name: 'D1', kind: 'entry' },
  { name: 'D2', kind: 'entry' },
  { name: 'W1', kind: 'instant' },
  { name: 'W2', kind: 'instant' },
  { name: 'H1', kind: 'instant', modes: ['away'] },
  { name: 'T1', kind: 'always' },
  { name: 'K1', kind: 'key' },
];

interface Desired {
  version: number;
  data: JsonObject;
  updated: number;
}

export class House {
  readonly config: Partial<PanelConfig>;
  board: MemoryBoard;
  readonly #levels = new Map<string, number>();
  #networkUp = true;
  #accepted: MemoryMqtt | undefined;
  desired: Desired | undefined;
  current: JsonObject = {};
  /** All states that `current` has said, without repetitions. */
  readonly states: unknown[] = [];
  readonly modes = new Set<unknown>();
  /** Milliseconds since the panel was first switched on. */
  time = 0;
  /** How long the siren rang, in milliseconds. */
  rung = 0;
  #requests = 0;
  /** What the panel wrote to `desired`, answered or not. */
  readonly written: JsonObject[] = [];
  /** Called before the server carries out a write of the panel to `desired`. */
  beforeWrite = (): void => undefined;

  constructor(settings: Partial<PanelConfig> = {}) {
    this.config = { contacts: CONTACTS, sirenCutOff: 180 * SECOND, keepAlive: 100_000 * SECOND, ...settings };
    for (const { name, kind } of this.config.contacts ?? []) this.#levels.set(name, kind === 'key' ? 1 : 0);
    this.board = this.#boot(new MemoryStore());
    this.wait(2);
  }

  get report(): CurrentDocument {
    return this.current as unknown as CurrentDocument;
  }

  get state(): string | undefined {
    return this.board.statuses.at(-1)?.state;
  }

  get siren(): boolean {
    return this.board.siren.on;
  }

  #boot(storage: MemoryStore): MemoryBoard {
    const board = new MemoryBoard(this.config, storage);
    board.config.contacts.forEach(({ name }, index) => {
      board.levels[index] = this.#levels.get(name) ?? 0;
    });
    start(board);
    board.setNetwork(this.#networkUp);
    return board;
  }

  open(...names: string[]): this {
    return this.#set(1, names);
  }

  close(...names: string[]): this {
    return this.#set(0, names);
  }

  /** A short press of the key. */
  key(): this {
    return this.close('K1').open('K1');
  }

  /** The level stands long enough to count. */
  #set(level: number, names: string[]): this {
    for (const name of names) this.level(name, level);
    return this.#advance(TURN);
  }

  level(name: string, level: number): void {
    const index = this.board.config.contacts.findIndex((contact) => contact.name === name);
    this.#levels.set(name, level);
    this.board.setLevel(level, undefined, index);
  }

  /** Somebody writes `desired` as an app does: each press has a request of its own. */
  want(alarm_armed: boolean, more: Partial<DesiredDocument> = {}): this {
    this.#requests += 1;
    return this.write({
      exit_delay: 60,
      entry_delay: 30,
      mode: 'away',
      ...more,
      alarm_armed,
      request: `${this.#requests}`,
    });
  }

  /** Writes these keys of `desired`. */
  write(data: object): this {
    const { version = 0, data: before = {} } = this.desired ?? {};
    this.desired = {
      version: version + 1,
      data: mergePatch(structuredClone(before), data as JsonObject),
      updated: this.#now,
    };
    if (this.#accepted !== undefined) this.#accepted.deliver(`${OWN}desired/changed`, this.#document());
    return this.#advance(TURN);
  }

  network(up: boolean): this {
    this.#networkUp = up;
    if (!up) this.#accepted = undefined;
    this.board.setNetwork(up);
    return this;
  }

  powerOff(seconds: number): this {
    this.#accepted = undefined;
    this.time += seconds * SECOND;
    this.board = this.#boot(this.board.storage.afterPowerCut());
    return this;
  }

  wait(seconds: number): this {
    return this.#advance(seconds * SECOND);
  }

  /** Lets the time pass until so many seconds after a moment. */
  until(seconds: number, since: number): this {
    return this.#advance(Math.max(0, since + seconds * SECOND - this.time));
  }

  get #now(): number {
    return A_DATE + this.time;
  }

  #advance(duration: number): this {
    const turn = duration > LONG ? LONG_TURN : TURN;
    for (let left = duration; left > 0; left -= turn) {
      const step = Math.min(left, turn);
      if (this.board.siren.on) this.rung += step;
      this.time += step;
      this.board.advance(step);
      this.#serve();
    }
    return this;
  }

  /** What a server does meanwhile. */
  #serve(): void {
    const { board } = this;
    for (const answer of board.queries.splice(0)) answer(this.#networkUp ? this.#now : undefined);
    const client = board.clients.at(-1);
    if (!this.#networkUp || client === undefined || client.closes > 0) return;
    if (client !== this.#accepted) {
      this.#accepted = client;
      client.accept(100_000);
    }
    for (let said = client.take(); said.length > 0; said = client.take())
      for (const { topic, body } of said)
        this.#carryOut(client, topic, body as { version?: number; data: JsonObject });
    client.makeRoom(100_000);
  }

  #carryOut(client: MemoryMqtt, topic: string, body: { version?: number; data: JsonObject }): void {
    const answer = (outcome: string, document: object): void =>
      client.deliver(`${topic}/response/${outcome}`, document);
    if (topic === `${OWN}desired/get`) {
      if (this.desired === undefined) answer('error', { error: 'document not found' });
      else answer('success', this.#document());
    } else if (topic === `${OWN}desired/patch`) {
      this.written.push(body as unknown as JsonObject);
      this.beforeWrite();
      if (body.version !== this.desired?.version)
        return answer('error', { error: 'document version mismatch' });
      this.desired = {
        version: (body.version ?? 0) + 1,
        data: mergePatch(structuredClone(this.desired?.data ?? {}), body.data),
        updated: this.#now,
      };
      answer('success', this.#document());
    } else {
      this.current = topic.endsWith('put') ? body.data : mergePatch(structuredClone(this.current), body.data);
      if (this.current.state !== this.states.at(-1)) this.states.push(this.current.state);
      this.modes.add(this.current.mode);
      answer('success', {});
    }
  }

  #document(): object {
    const { version = 0, data = {}, updated = 0 } = this.desired ?? {};
    const created_at = new Date(A_DATE).toISOString();
    return {
      twin_id: 'x',
      document_name: 'desired',
      version,
      data,
      created_at,
      updated_at: new Date(updated).toISOString(),
    };
  }
}
