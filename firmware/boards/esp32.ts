/** Boards with an ESP32, on the Moddable SDK. The manifest's `config` has the wiring, the Wi-Fi and the server. */

/// <reference path="./sdk/untyped.d.ts" />
import resetReason from 'resetReason';
import Analog from 'embedded:io/analog';
import Digital from 'embedded:io/digital';
import Serial from 'embedded:io/serial';
import WiFi from 'embedded:network/interface/wifi';
import KeyValueStorage from 'embedded:storage/key-value';
import config from 'mc/config';
import type { Board, KeyValueStore, Output } from '../board.js';
import { type ContactConfig, DEFAULTS, type PanelConfig } from '../config.js';
import { SerialConsole } from './sdk/console.js';
import { timeFrom, timers } from './sdk/platform.js';
import { connectionTo, type ServerConfig, timeOf } from './sdk/server.js';
import { Station } from './sdk/station.js';

interface Esp32Config extends PanelConfig, ServerConfig {
  /** Numbers of GPIOs. The door's is that of a contact without one. */
  contacts: readonly (ContactConfig & { pin?: number })[];
  doorPin: number;
  sirenPin: number;
  ledPin: number;
  beeperPin?: number;
  /** True when the output is on while its pin is low. */
  sirenActiveLow?: boolean;
  ledActiveLow?: boolean;
  beeperActiveLow?: boolean;
  /** The transmitter of the serial console, where one is wanted; else the SDK traces, which only a debug build does. */
  consolePin?: number;
  ssid: string;
  /** Absent for an open network. */
  passphrase?: string;
}

const settings: Esp32Config = { ...DEFAULTS, ...(config as unknown as Esp32Config) };
const flash = KeyValueStorage.open({ path: 'panel', format: 'buffer' });
const time = timeFrom(timeOf(settings));
const writeLine = lineWriter(settings.consolePin);

function lineWriter(transmit: number | undefined): (line: string) => void {
  if (transmit === undefined) return (line) => trace(`${line}\n`);
  const console = new SerialConsole(
    (onWritable) => new Serial({ transmit, baud: 115_200, port: 0, format: 'buffer', onWritable }),
  );
  return (line) => console.write(line);
}

/** Power on, the reset pin, and a reset by the flash tool over USB or JTAG (`esp_reset_reason_t` of ESP-IDF). */
const WANTED = [1, 2, 11, 12];
const reset = resetReason();

/** Off from the first moment on. */
function output(pin: number, activeLow = false): Output {
  const options = { pin, mode: Digital.Output, activeLow, initialValue: 0 } as const;
  const digital = new Digital(options);
  return { write: (on) => digital.write(on ? 1 : 0) };
}

export const board: Board = {
  config: settings,
  start: { wanted: WANTED.includes(reset.reason), reason: `${reset.string} (${reset.reason})` },
  contact(index, onEdge) {
    const contact = settings.contacts[index];
    const pin = contact?.pin ?? settings.doorPin;
    if (contact?.line) {
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
  siren: output(settings.sirenPin, settings.sirenActiveLow),
  led: output(settings.ledPin, settings.ledActiveLow),
  beeper: settings.beeperPin === undefined ? undefined : output(settings.beeperPin, settings.beeperActiveLow),
  storage: flash as KeyValueStore,
  network(onChange) {
    const accessPoint = { SSID: settings.ssid, password: settings.passphrase ?? '' };
    const open = (onChanged: () => void): WiFi => new WiFi({ onChanged });
    return new Station(accessPoint, settings, {
      open,
      timers,
      ticks: time.ticks,
      trace: writeLine,
      onChange,
    });
  },
  mqtt: connectionTo(settings),
  time,
  timers,
  random: Math.random,
  trace: writeLine,
  restart: System.restart,
};
