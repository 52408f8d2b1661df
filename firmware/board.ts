/**
 * What a kind of board gives the panel. One file per kind stands in `boards/`; nothing else of the firmware knows
 * which board it runs on. Times are in milliseconds.
 */

/** A digital input: the reed switch. `onEdge` may be called more often than the level changes. */
export interface Input {
  /** The raw level now: 1 is high. The input is pulled up, so a closed contact to ground reads 0. */
  read(): 0 | 1;
}

export interface Output {
  write(on: boolean): void;
}

/**
 * Named blocks of bytes that survive a power cut (`embedded:storage/key-value`). A write either happens whole or leaves
 * what was there; it may throw.
 */
export interface KeyValueStore {
  read(key: string): Uint8Array | undefined;
  write(key: string, value: Uint8Array): void;
}

/** The link layer: Wi-Fi on an ESP32, the host's network elsewhere. It reconnects by itself, for ever. */
export interface Network {
  readonly online: boolean;
}

export type Timer = object;

/** The SDK's `timer` module. */
export interface Timers {
  set(callback: () => void, delay: number): Timer;
  repeat(callback: () => void, interval: number): Timer;
  clear(timer: Timer): void;
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
  payload?: ArrayBuffer | Uint8Array;
}

export interface MqttOptions {
  /** Milliseconds. */
  keepAlive: number;
  onReadable: (count: number, info: MqttMessageInfo) => void;
  onWritable: (count: number) => void;
  onControl: (operation: number, message: MqttControl) => void;
  onClose: () => void;
  onError: (error?: unknown) => void;
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
  /** Throws when the packet is longer than `onWritable` last announced. */
  write(data: Uint8Array | undefined, options: MqttWriteOptions): number;
  close(): void;
}

/** What the person who flashes the board decides; the manifest's `config` or the command line. */
export interface PanelConfig {
  /** `mqtt://host:port` or `mqtts://host:port`, for the trace; the board opens the connection. */
  server: string;
  /** The device's id, which is its user name. */
  device: string;
  /** True when a closed contact means an open door. */
  doorInverted: boolean;
  sirenMode: 'latch' | 'follow';
  /** How long the siren rings at most; 0: for ever. */
  sirenCutOff: number;
  /** How long a level of the contact must stand before it counts. */
  debounce: number;
  keepAlive: number;
  /** Between two `desired/get`. */
  pollInterval: number;
  /** `last_update` is never older than this while connected. */
  refreshInterval: number;
  backOffMin: number;
  backOffMax: number;
}

export interface Board {
  readonly config: PanelConfig;
  /** The door's reed switch; `onEdge` is called at every edge, in a turn of its own. */
  door(onEdge: () => void): Input;
  readonly siren: Output;
  readonly led: Output;
  readonly storage: KeyValueStore;
  /** Brings the link layer up and keeps it up; `onChange` is called at every gain and loss. */
  network(onChange: () => void): Network;
  /** Opens one MQTT connection as this device, credentials and TLS included. Throws when it cannot even begin. */
  mqtt(options: MqttOptions): MqttClient;
  readonly time: Time;
  readonly timers: Timers;
  /** Uniform in [0, 1), different on every board and at every boot. */
  random(): number;
  trace(line: string): void;
  /** Restarts the program, as a power cut would. Does not return on a board. */
  restart(): void;
}
