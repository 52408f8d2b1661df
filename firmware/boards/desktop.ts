/** The desktop: XS from npm, with Node around it (`../desktop/`). */

import Digital from 'embedded:io/digital';
import MQTTClient from 'embedded:network/mqtt/client';
import KeyValueStorage from 'embedded:storage/key-value';
import config from 'mc/config';
import SNTP from 'sntp';
import time from 'time';
import Timer from 'timer';
import type { Board, Output } from '../board.js';
import { DEFAULTS, type PanelConfig } from '../config.js';
import { ask, listen } from '../desktop/modules/host.js';

interface DesktopConfig extends PanelConfig {
  host: string;
  port: number;
  password: string;
  timeServer: string;
}

const settings: DesktopConfig = { ...DEFAULTS, ...(config as unknown as DesktopConfig) };
const flash = KeyValueStorage.open({ path: 'panel/', format: 'buffer' });

function output(pin: string): Output {
  const digital = new Digital({ pin, mode: Digital.Output });
  digital.write(0);
  return { write: (on) => digital.write(on ? 1 : 0) };
}

export const board: Board = {
  config: settings,
  door: (onEdge) =>
    new Digital({
      pin: 'door',
      mode: Digital.InputPullUp,
      edge: Digital.Rising | Digital.Falling,
      onReadable: onEdge,
    }),
  siren: output('siren'),
  led: output('led'),
  storage: {
    read(key) {
      const value = flash.read(key);
      return value && new Uint8Array(value);
    },
    write: (key, value) => flash.write(key, value),
  },
  network(onChange) {
    listen('network', onChange);
    return {
      get online() {
        return ask('network').head.online;
      },
    };
  },
  mqtt(options) {
    const { host, port, device, password } = settings;
    // Node resolves the name and opens the socket, with TLS where the server's address asks for it.
    return new MQTTClient({ ...options, host, port, user: device, password, dns: {}, socket: {} });
  },
  time: {
    ticks: () => time.ticks,
    now: () => Date.now(),
    set: (now) => time.set(now / 1000),
    query(done) {
      new SNTP({ host: settings.timeServer }, (message, seconds = 0) =>
        done(message === SNTP.time ? seconds * 1000 : undefined),
      );
    },
  },
  timers: {
    set: (callback, delay) => Timer.set(callback, delay),
    repeat: (callback, interval) => Timer.repeat(callback, interval),
    clear: (timer) => Timer.clear(timer as Timer),
  },
  random: () => ask('random').head.number,
  trace(line) {
    ask('trace', { line });
  },
  show(status) {
    ask('show', { status });
  },
  restart() {
    ask('restart');
  },
};
