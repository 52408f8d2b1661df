import type { Logger } from 'pino';
import type { Settings } from '../config.js';
import type { Device } from '../devices/device.js';
import type { Twins } from '../twins/twins.js';

export type MqttSettings = Pick<
  Settings,
  | 'mqttConnectBytes'
  | 'mqttPacketBytes'
  | 'mqttConnectMs'
  | 'mqttBufferBytes'
  | 'mqttBufferMs'
  | 'mqttSubscriptions'
  | 'mqttInFlight'
  | 'mqttUnacknowledged'
  | 'mqttStopMs'
>;

/** What the endpoint needs of the device registry. */
export interface KnownDevices {
  /** The device when id and password are right, else undefined. */
  authenticate(id: string, password: Uint8Array): Promise<Device | undefined>;
  connected(id: string): void;
  disconnected(id: string): void;
  active(id: string): void;
  /** Tells of every device that must lose its connections. Returns what ends it. */
  watch(watcher: (id: string, why: 'disabled' | 'deleted' | 'credentials') => void): () => void;
}

/** Since the start, but for `connections`. */
export interface MqttCounters {
  /** Open now, whether they have sent a CONNECT or not. */
  connections: number;
  /** CONNECTs accepted. */
  accepted: number;
  /** CONNECTs refused by a CONNACK. */
  refused: number;
  /** Connections that the server closed without one. */
  dropped: number;
  /** Publishes that asked for nothing or were for somewhere else. */
  droppedPublishes: number;
}

/** What all connections of one endpoint share. */
export interface Endpoint {
  readonly twins: Twins;
  readonly devices: KnownDevices;
  readonly settings: MqttSettings;
  readonly log: Logger;
  readonly counters: MqttCounters;
}
