/** Which GPIOs of which chip the panel can use. The facts are those of Espressif's datasheets. */

import { UsageError } from '../../../shared/usage.js';
import type { WiredContact } from '../contact-option.js';
import type { Target } from './sdk.js';

/** What uses a GPIO already, and which ones. */
type Reserved = [use: string, gpios: number[]];

interface Chip {
  name: string;
  /** Every GPIO that there is. */
  gpios: number[];
  reserved: Reserved[];
  /** They have no output and no pull-up. */
  inputOnly: number[];
  /** Strapping pins at which an LED to ground does no harm. */
  ledAlso: number[];
  /** Of the converter that works beside the Wi-Fi: ADC1. */
  analog: number[];
  /** The transmitter of the serial console. */
  consolePin: number;
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

const BOOT = 'chooses how the chip boots';
const FLASH = "belongs to the chip's flash memory";
const USB = 'belongs to the USB';
const CONSOLE = 'belongs to the serial console, by which the board is flashed';

/** By the SDK's names (`ESP32_SUBCLASS`). */
const CHIPS: Partial<Record<string, Chip>> = {
  esp32: {
    name: 'ESP32',
    gpios: [...range(0, 19), ...range(21, 23), ...range(25, 27), ...range(32, 39)],
    reserved: [
      [BOOT, [0, 2, 5, 12, 15]],
      [CONSOLE, [1, 3]],
      [FLASH, range(6, 11)],
    ],
    inputOnly: range(34, 39),
    ledAlso: [2],
    analog: range(32, 39),
    consolePin: 1,
  },
  esp32s2: {
    name: 'ESP32-S2',
    gpios: [...range(0, 21), ...range(26, 46)],
    reserved: [
      [BOOT, [0, 45, 46]],
      [USB, [19, 20]],
      [FLASH, range(26, 32)],
      [CONSOLE, [43, 44]],
    ],
    inputOnly: [46],
    ledAlso: [],
    analog: range(1, 10),
    consolePin: 43,
  },
  esp32s3: {
    name: 'ESP32-S3',
    gpios: [...range(0, 21), ...range(26, 48)],
    reserved: [
      [BOOT, [0, 3, 45, 46]],
      [USB, [19, 20]],
      // Those from 33 on only where the memory is octal, which the name of a target does not tell.
      [FLASH, range(26, 37)],
      [CONSOLE, [43, 44]],
    ],
    inputOnly: [],
    ledAlso: [],
    analog: range(1, 10),
    consolePin: 43,
  },
  esp32c3: {
    name: 'ESP32-C3',
    gpios: range(0, 21),
    reserved: [
      [BOOT, [2, 8, 9]],
      [FLASH, range(11, 17)],
      [USB, [18, 19]],
      [CONSOLE, [20, 21]],
    ],
    inputOnly: [],
    ledAlso: [],
    analog: range(0, 4),
    consolePin: 21,
  },
  esp32c6: {
    name: 'ESP32-C6',
    gpios: range(0, 30),
    reserved: [
      [BOOT, [4, 5, 8, 9, 15]],
      [USB, [12, 13]],
      [CONSOLE, [16, 17]],
      [FLASH, range(24, 30)],
    ],
    inputOnly: [],
    ledAlso: [],
    analog: range(0, 6),
    consolePin: 16,
  },
};

/** @throws UsageError */
export function consolePinOf(target: string, { chip, usesUsb }: Target): number {
  const pin = CHIPS[chip]?.consolePin;
  if (pin !== undefined && !usesUsb) return pin;
  throw new UsageError(`--console: ${target} has no serial port of its own; --debug traces over its USB`);
}

/** An `input` is pulled up within the chip; an `analog` one has its resistors outside. */
type Role = 'input' | 'analog' | 'siren' | 'led' | 'beeper';

/** Why this chip's GPIO cannot be the pin, or undefined. A chip that is not known here is taken as it is. */
export function faultOfPin(subclass: string, role: Role, gpio: number): string | undefined {
  const chip = CHIPS[subclass];
  if (chip === undefined || (role === 'led' && chip.ledAlso.includes(gpio))) return undefined;
  const place = `GPIO ${gpio} of the ${chip.name}`;
  if (!chip.gpios.includes(gpio)) return `the ${chip.name} has no GPIO ${gpio}`;
  if (role === 'analog' && !chip.analog.includes(gpio))
    return `${place} measures no voltage beside the Wi-Fi`;
  if (role !== 'analog' && chip.inputOnly.includes(gpio)) return `${place} has neither output nor pull-up`;
  const use = chip.reserved.find(([, gpios]) => gpios.includes(gpio))?.[0];
  return use && `${place} ${use}`;
}

/** As the config of a board has them. */
export interface Pins {
  contacts?: readonly WiredContact[];
  /** Of the first contact that has none of its own. */
  doorPin?: number;
  sirenPin?: number;
  ledPin?: number;
  /** There may be no beeper. */
  beeperPin?: number;
}

interface Wire {
  /** Where the pin was given. */
  option: string;
  role: Role;
  gpio: number | undefined;
}

/** @throws UsageError */
export function checkPins(target: string, subclass: string, pins: Pins): void {
  const wires = wiresOf(pins);
  const open = wires.filter(({ gpio }) => gpio === undefined).map(({ option }) => option);
  if (open.length > 0) throw new UsageError(`the pins of ${target} are yours to choose: ${open.join(', ')}`);
  const gpios = wires.map(({ gpio }) => gpio as number);
  const twice = gpios.find((gpio, index) => gpios.indexOf(gpio) < index);
  if (twice !== undefined)
    throw new UsageError(`contacts, siren, LED and beeper need a pin each, and GPIO ${twice} is there twice`);
  for (const { option, role, gpio } of wires) {
    const fault = faultOfPin(subclass, role, gpio as number);
    if (fault !== undefined) throw new UsageError(`${option}: ${fault}`);
  }
}

function wiresOf({
  contacts = [{ name: 'door', kind: 'entry' }],
  doorPin,
  sirenPin,
  ledPin,
  beeperPin,
}: Pins): Wire[] {
  const inputs = contacts.map(({ name, pin, line }, index): Wire => {
    const role = line === 'resistor' ? 'analog' : 'input';
    if (pin === undefined && index === 0) return { option: '--door-pin', role, gpio: doorPin };
    return { option: `--contact "${name}"`, role, gpio: pin };
  });
  const outputs: Wire[] = [
    { option: '--siren-pin', role: 'siren', gpio: sirenPin },
    { option: '--led-pin', role: 'led', gpio: ledPin },
  ];
  if (beeperPin !== undefined) outputs.push({ option: '--beeper-pin', role: 'beeper', gpio: beeperPin });
  return [...inputs, ...outputs];
}
