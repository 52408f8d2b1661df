/**
 * The SDK's simulator of a NodeMCU. Its button is the first contact, open while it is pressed; the others are at rest. One
 * of its LEDs is the siren, the other one the status.
 */

import { File } from 'file';
import config from 'mc/config';
import type { Board } from '../board.js';
import { type ContactConfig, DEFAULTS, type PanelConfig } from '../config.js';
import { timeFrom, timers } from './sdk/platform.js';
import { connectionTo, type ServerConfig, timeOf } from './sdk/server.js';

interface SimulatorConfig extends PanelConfig, ServerConfig {
  /** Ends with a slash; the SDK's `file` module gives it. */
  file: { root: string };
}

interface SimulatedLed {
  write(level: 0 | 1): void;
}

/** What the simulator has besides the language, and the SDK's typings lack. */
declare const Host: {
  Button: { Default: new (options: { onPush: () => void }) => { read(): 0 | 1 | undefined } };
  LED: Record<'A' | 'B', new () => SimulatedLed>;
};
declare const screen: { postMessage(message: string): void };

const settings: SimulatorConfig = { ...DEFAULTS, ...(config as unknown as SimulatorConfig) };
const time = timeFrom(timeOf(settings));

const RESTARTING = 'restarting';
/** Not every platform of the simulator has key-value storage: a block is a file. */
const pathOf = (key: string): string => `${settings.file.root}alarm-panel.${settings.device}.${key}`;

export const board: Board = {
  config: settings,
  start: startReason(),
  contact(index, onEdge) {
    const { kind, inverted = false, line } = settings.contacts[index] as ContactConfig;
    const button = index === 0 ? new Host.Button.Default({ onPush: () => onEdge() }) : undefined;
    const atRest = kind === 'key';
    return {
      read() {
        const isOpen = ((button?.read() === 1) !== atRest) !== inverted;
        // The voltages of a line with resistors are in the middle.
        if (line !== undefined) return isOpen ? 0.65 : 0.43;
        return isOpen ? 1 : 0;
      },
    };
  },
  siren: output(new Host.LED.A()),
  led: output(new Host.LED.B()),
  storage: {
    read(key) {
      const path = pathOf(key);
      if (!File.exists(path)) return undefined;
      const file = new File(path);
      const value = file.read(ArrayBuffer);
      file.close();
      return value;
    },
    write(key, value) {
      const path = pathOf(key);
      if (File.exists(path)) File.delete(path);
      const file = new File(path, true);
      file.write(value.slice().buffer);
      file.close();
    },
  },
  network: () => ({ online: true }),
  mqtt: connectionTo(settings),
  time,
  timers,
  random: Math.random,
  trace: (line) => trace(`${line}\n`),
  restart() {
    new File(pathOf(RESTARTING), true).close();
    // What the simulator does for a program that aborts: it loads it again.
    screen.postMessage(JSON.stringify({ xsbug: 'abort' }));
  },
};

/** The simulator does not say why it loads the program: a file tells that the program itself wanted it. */
function startReason(): Board['start'] {
  const path = pathOf(RESTARTING);
  if (!File.exists(path)) return { wanted: true, reason: 'loaded' };
  File.delete(path);
  return { wanted: false, reason: 'restart' };
}

function output(led: SimulatedLed): Board['led'] {
  return { write: (on) => led.write(on ? 1 : 0) };
}
