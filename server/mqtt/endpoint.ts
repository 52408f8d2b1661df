import type { Logger } from 'pino';
import type { FailedAttempts } from '../access/failures.js';
import type { Allowances } from '../access/rate.js';
import type { Audit } from '../audit.js';
import type { Settings } from '../config.js';
import type { Devices } from '../devices/devices.js';
import type { LineLimit } from '../line-limit.js';
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
  | 'connections'
  | 'deviceRequestsPerSecond'
>;

/** What the endpoint needs of the device registry. */
export type KnownDevices = Pick<
  Devices,
  'authenticate' | 'certified' | 'connected' | 'disconnected' | 'active' | 'watch'
>;

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
  /** Shared with REST. */
  readonly failures: FailedAttempts;
  /** What each device may ask, over all its connections. */
  readonly allowances: Allowances;
  readonly settings: MqttSettings;
  readonly audit: Audit;
  readonly log: Logger;
  /** Bounds what is logged of the faults of clients, for each source. */
  readonly warnings: LineLimit;
  readonly counters: MqttCounters;
}
