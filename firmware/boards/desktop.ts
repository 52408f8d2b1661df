/** The desktop: XS from npm, with Node around it (`../desktop/`). */

import Analog from 'embedded:io/analog';
import Digital from 'embedded:io/digital';
import WiFi from 'embedded:network/interface/wifi';
import MQTTClient from 'embedded:network/mqtt/client';
import KeyValueStorage from 'embedded:storage/key-value';
import config from 'mc/config';
import SNTP from 'sntp';
import type { Board, KeyValueStore, Output } from '../board.js';
import { DEFAULTS, type PanelConfig } from '../config.js';
import { ask, tell } from '../desktop/modules/host.js';
import { timeFrom, timers } from './sdk/platform.js';
import { Station } from './sdk/station.js';

interface DesktopConfig extends PanelConfig {
  host: string;
  port: number;
  password: string;
  timeServer: string;
}

const settings: DesktopConfig = { ...DEFAULTS, ...(config as unknown as DesktopConfig) };
const flash = KeyValueStorage.open({ path: 'panel/', format: 'buffer' });
const time = timeFrom((done) => {
  new SNTP({ host: settings.timeServer }, (message, seconds = 0) =>
    done(message === SNTP.time ? seconds * 1000 : undefined),
  );
});
const trace = (line: string): void => {
  ask('trace', { line });
};

function output(pin: string): Output {
  const digital = new Digital({ pin, mode: Digital.Output });
  digital.write(0);
  return { write: (on) => digital.write(on ? 1 : 0) };
}

export const board: Board = {
  config: settings,
  start: ask('start').head.start,
  contact(index, onEdge) {
    const pin = `contact ${index}`;
    if (settings.contacts[index]?.line) {
      const analog = new Analog({ pin });
      return { read: () => analog.read() / 2 ** analog.resolution };
    }
    return new Digital({
      pin,
      mode: Digital.InputPullUp,
      edge: Digital.Rising | Digital.Falling,
      onReadable: () => onEdge(),
    });
  },
  siren: output('siren'),
  led: output('led'),
  beeper: output('beeper'),
  storage: flash as KeyValueStore,
  network(onChange) {
    const open = (onChanged: () => void): WiFi => new WiFi({ onChanged });
    return new Station({ SSID: 'desktop' }, settings, { open, timers, ticks: time.ticks, trace, onChange });
  },
  mqtt(options) {
    const { host, port, device, password } = settings;
    // Node resolves the name and opens the socket, with TLS where the server's address asks for it.
    return new MQTTClient({ ...options, host, port, user: device, password, dns: {}, socket: {} });
  },
  time,
  timers,
  random: () => ask('random').head.number,
  trace,
  show(status) {
    tell('show', { status });
  },
  restart() {
    ask('restart');
  },
};
