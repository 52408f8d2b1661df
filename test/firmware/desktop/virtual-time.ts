/** The firmware on XS with a clock that stands still until the test's server moves it. */

import type { DesktopPanel } from '../../../firmware/desktop/desktop-panel.js';
import { type JsonObject, mergePatch } from '../../../shared/document.js';
import { changedTopic } from '../../../shared/topics.js';
import { until } from '../../until.js';
import { CONTACTS } from '../house.js';
import type { ScriptedServer, Session } from './scripted-server.js';
import type { Workbench } from './workbench.js';

/** A panel with the contacts of {@link CONTACTS}. The time in the house is the test's. */
export class VirtualPanel {
  readonly panel: DesktopPanel;
  readonly #server: ScriptedServer;
  #onPassed = (): void => undefined;
  #version = 10;
  #reported: JsonObject = {};
  #read = 0;

  private constructor(server: ScriptedServer, panel: DesktopPanel) {
    this.#server = server;
    this.panel = panel;
  }

  /** Resolves when it is online. */
  static async start(bench: Workbench, server: ScriptedServer, sirenCutOff: number): Promise<VirtualPanel> {
    const program = await bench.program(PROGRAM);
    const panel = await bench.panel({
      server: server.url,
      program,
      config: { contacts: CONTACTS, sirenCutOff, keepAlive: 65_000_000 },
      trace: (line) => {
        if (line === 'passed') virtual.#onPassed();
      },
    });
    const virtual = new VirtualPanel(server, panel);
    await virtual.#online(0);
    return virtual;
  }

  /** Stops the panel's clock once it has reported on a connection that began later than so many others. */
  async #online(earlier: number): Promise<void> {
    const asked = new Set<Session>();
    let hasPassed = false;
    await until(() => {
      for (const session of this.#server.sessions.slice(earlier)) {
        if (asked.has(session) || !hasReported(session)) continue;
        asked.add(session);
        this.pass(200).then(() => {
          hasPassed = true;
        });
      }
      return hasPassed;
    });
  }

  /** Lets the time pass. */
  pass(duration: number): Promise<void> {
    return new Promise((passed) => {
      this.#onPassed = passed;
      this.#server.sessions.at(-1)?.publish(`$SCW/twins/me/pass/${duration}`, '{}');
    });
  }

  /** Opens or closes a contact, and lets so much time pass. */
  async set(name: string, open: boolean, duration: number): Promise<void> {
    this.panel.set(name, open ? 'open' : 'closed');
    await this.panel.turned();
    await this.pass(duration);
  }

  /** Writes `desired` as an app does. */
  async want(data: object): Promise<void> {
    this.#version += 1;
    const request = `${this.#version}`;
    this.#server.push(changedTopic('desired'), { version: this.#version, data: { ...data, request } });
    await this.pass(1);
  }

  /** Resolves when the panel is online again; meanwhile little time passes. */
  async cutPower(): Promise<void> {
    const { length } = this.#server.sessions;
    this.panel.powerOff();
    this.panel.powerOn();
    await this.#online(length);
  }

  /** What the panel has reported, all put together. */
  get current(): JsonObject {
    const { reports } = this.#server;
    for (; this.#read < reports.length; this.#read++) {
      const { action, data } = reports[this.#read] ?? { action: '', data: {} };
      this.#reported =
        action === 'put'
          ? (data as JsonObject)
          : mergePatch(structuredClone(this.#reported), data as JsonObject);
    }
    return this.#reported;
  }
}

const hasReported = ({ packets }: Session): boolean =>
  packets.some((packet) => packet.cmd === 'publish' && packet.topic.startsWith(CURRENT));

const CURRENT = '$SCW/twins/me/current/';

/** Until the first message that lets time pass its clock runs by itself, and fast. */
const PROGRAM = `import { board } from 'firmware/boards/board.js';
import { start } from 'firmware/start.js';
let ticks = 0;
let runs = true;
const waiting = new Set();
const add = (callback, delay, interval) => {
  const timer = { callback, at: ticks + Math.max(0, delay), interval };
  waiting.add(timer);
  return timer;
};
function pass(duration) {
  const end = ticks + duration;
  for (;;) {
    let next;
    for (const timer of waiting) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    if (next === undefined) break;
    ticks = Math.max(ticks, next.at);
    if (next.interval === undefined) waiting.delete(next);
    else next.at += next.interval;
    next.callback();
  }
  ticks = end;
}
const real = board.timers.repeat(() => {
  if (runs) pass(20);
}, 2);
const PASS = '$SCW/twins/me/pass/';
start({
  ...board,
  // It blinks ten times a second, and the time is not real.
  led: { write: () => undefined },
  beeper: undefined,
  time: { ...board.time, ticks: () => ticks },
  timers: {
    set: (callback, delay) => add(callback, delay),
    repeat: (callback, interval) => add(callback, interval, interval),
    clear: (timer) => waiting.delete(timer),
  },
  mqtt: (options) => board.mqtt({
    ...options,
    onReadable(count, info) {
      options.onReadable(count, info);
      if (!info.topic?.startsWith(PASS)) return;
      runs = false;
      board.timers.clear(real);
      pass(Number(info.topic.slice(PASS.length)));
      board.trace('passed');
    },
  }),
});
`;
