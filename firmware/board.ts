/**
 * What a kind of board gives the panel. One file per kind stands in `boards/`; nothing else of the firmware knows
 * which board it runs on. Times are in milliseconds.
 */

import type { AlarmStateName, LineFault, Mode } from '../shared/panel.js';
import type { PanelConfig } from './config.js';

/** A contact's input. */
export interface Input {
  /**
   * Of a digital input the level now: 1 is high. It is pulled up, so a closed contact to ground reads 0. Of a line with
   * resistors the voltage, as a part of what can be measured: 0 to 1.
   */
  read(): number;
}

export interface Output {
  write(on: boolean): void;
}

/**
 * Named blocks of bytes that survive a power cut (`embedded:storage/key-value`). Both calls may throw. A power cut may
 * leave anything in the block being written, nothing in any other.
 */
export interface KeyValueStore {
  read(key: string): ArrayBuffer | undefined;
  write(key: string, value: Uint8Array): void;
}

/** The link layer. It reconnects by itself, for ever. */
export interface Network {
  readonly online: boolean;
}

export type Timer = object;

/** The SDK's `timer` module. */
export interface Timers {
  set(callback: () => void, delay: number): Timer;
  repeat(callback: () => void, interval: number): Timer;
  clear(timer: Timer | undefined): void;
}

export interface Time {
  /** Milliseconds since some fixed moment; never goes back and knows no date. */
  ticks(): number;
  /** The system clock in milliseconds since 1970, right or not. */
  now(): number;
  /** Sets the system clock. */
  set(now: number): void;
  /** Asks a time server once: the time in milliseconds since 1970, or undefined when there was no answer. */
  query(done: (now: number | undefined) => void): void;
}

/** ECMA-419 MQTT client, as `embedded:network/mqtt/client` has it. */
export interface MqttMessageInfo {
  /** Present with the first part of a message. */
  topic?: string;
  /** True while further parts of the same message follow. */
  more: boolean;
  byteLength?: number;
  QoS?: number;
}

export interface MqttControl {
  operation: number;
  id?: number;
  /** With CONNACK; 0 or absent: accepted. After a refusal the connection is of no more use. */
  returnCode?: number;
  /** With SUBACK: what became of each filter. */
  payload?: ArrayLike<number>;
}

/** The callbacks come in turns of their own: none during {@link Board.mqtt} or within a call of the client. */
export interface MqttOptions {
  /** Milliseconds. */
  keepAlive: number;
  /** The first `count` bytes of a message, or the next ones; all of them must be read before the callback returns. */
  onReadable: (count: number, info: MqttMessageInfo) => void;
  onWritable: (count: number) => void;
  /** CONNACK, SUBACK, PINGRESP … as they arrive. */
  onControl: (operation: number, message: MqttControl) => void;
  onClose: () => void;
  /** With a {@link Fault}, an exception, or a text. */
  onError: (fault?: unknown) => void;
}

/** Why a connection has ended, where it is known; its text says more. */
export interface Fault {
  /** The server is not believed. */
  readonly kind?: 'certificate';
}

export interface MqttWriteOptions {
  /** PUBLISH when absent. */
  operation?: number;
  id?: number;
  topic?: string;
  QoS?: number;
  byteLength?: number;
  items?: { topic: string; QoS?: number }[];
}

export interface MqttClient {
  read(count: number): ArrayBuffer;
  /**
   * Returns how many bytes the next packet may have.
   * @throws when this one is longer than was last announced
   */
  write(data: ArrayBuffer | undefined, options: MqttWriteOptions): number;
  /** At any moment, even while the name is being resolved, even twice. No callback comes after it. */
  close(): void;
}

/** Whether a contact is open, or what is wrong with its line. */
export type ContactLevel = boolean | LineFault;

/** What can be seen of the panel. */
export interface PanelStatus {
  /** In every state but `disarmed`. */
  armed: boolean;
  doorOpen: boolean;
  sirenRinging: boolean;
  /** In the order of the config. */
  contacts: readonly ContactLevel[];
  state: AlarmStateName;
  mode: Mode;
  /** When the delay under way ends, in ticks. */
  delayEnd: number | undefined;
  /** The last wish, from the app or at the door, was refused. */
  refused: boolean;
  /** Connected and subscribed. */
  online: boolean;
}

/** Why the program runs. */
export interface Start {
  /** False when something ended the program before: an exception, a watchdog, a brown-out … */
  readonly wanted: boolean;
  /** For the trace. */
  readonly reason: string;
}

export interface Board {
  readonly config: PanelConfig;
  readonly start: Start;
  /**
   * A contact by its index in the config; `onEdge` is called at every edge and perhaps more often, in a turn of its own.
   * `at` is when the edge occurred, in ticks, where the board knows; otherwise it is now. For a line with resistors it is
   * never called.
   */
  contact(index: number, onEdge: (at?: number) => void): Input;
  readonly siren: Output;
  readonly led: Output;
  /** Sounds the delays, where there is one. */
  readonly beeper?: Output | undefined;
  readonly storage: KeyValueStore;
  /** Brings the link layer up and keeps it up; `onChange` is called at every gain and loss. */
  network(onChange: () => void): Network;
  /** Opens one MQTT connection as this device, credentials and TLS included. Throws when it cannot even begin. */
  mqtt(options: MqttOptions): MqttClient;
  readonly time: Time;
  readonly timers: Timers;
  /** Uniform in [0, 1), different on every board and at every boot. */
  readonly random: () => number;
  trace(line: string): void;
  /** For a board that can show more than an LED: called with the first state and at every change. */
  show?(status: PanelStatus): void;
  /** Restarts the program, as a power cut would. Does not return on a board. */
  restart(): void;
}
