/** What all connections of the endpoint share: limits, counters and the parts of the server that they use. */

import type { Logger } from 'pino';
import type { FailedAttempts } from '../access/failures.js';
import type { Shares } from '../access/shares.js';
import type { Audit } from '../audit.js';
import type { Sessions } from '../cluster/sessions.js';
import type { Devices } from '../devices/devices.js';
import type { Presence } from '../devices/presence.js';
import type { LineLimit } from '../line-limit.js';
import type { Metric } from '../metrics.js';
import type { Twins } from '../twins/twins.js';
import type { Backlog } from './output.js';

const KIB = 1024;

/** Sizes are in bytes, times in milliseconds. */
export const MQTT_LIMITS = {
  /** The longest first packet of a connection. */
  connectBytes: 8 * KIB,
  /** The longest later packet, and the longest message of a WebSocket. */
  packetBytes: 128 * KIB,
  /** The number of fragments in one message of a WebSocket. */
  fragments: 128,
  /** The number of network chunks in one message of a WebSocket. */
  messageChunks: 1024,
  /** How long a client may take to send its CONNECT, and later to close. */
  connectMs: 8000,
  /** How much a client may send while its connection closes. */
  closingBytes: 1024 * KIB,
  /** Unread answers of one connection, and its requests not answered yet. Above it the connection is not read. */
  bufferBytes: 1024 * KIB,
  /** The same of one device, over all its connections. Above it none of them is read. */
  deviceBufferBytes: 4 * 1024 * KIB,
  /** A client whose answers wait must take so many bytes of them in this time, or it is closed. */
  progressBytes: 30 * KIB,
  progressMs: 30_000,
  /** Connections of one device that may have several. A change is sent on each of them. */
  deviceConnections: 32,
  /** Topic filters of one connection. */
  subscriptions: 100,
  /** Requests of one connection not answered yet. Above it the connection is not read. */
  inFlight: 256,
  /** The same of one device, over all its connections. Each further request is refused. */
  deviceInFlight: 1024,
  /** QoS 1 and 2 messages of one device, each way, whose exchange it has not completed. Its connections share them. */
  unacknowledged: 65_535,
  /** How long the last answers may take to leave when the server stops. */
  stopMs: 2000,
};

export type MqttLimits = Readonly<typeof MQTT_LIMITS>;

/** The part of the device registry that the endpoint needs. */
export type KnownDevices = Pick<Devices, 'authenticate' | 'certified' | 'watch'> & {
  readonly presence: Pick<Presence, 'connected' | 'disconnected' | 'active'>;
};

/** All count since the start of the server, except `connections`. */
export interface MqttCounters {
  /** Connections that are open now, with or without a CONNECT. */
  connections: number;
  /** CONNECTs accepted. */
  accepted: number;
  /** CONNECTs refused by a CONNACK. */
  refused: number;
  /** Connections that the server closed without a CONNACK. */
  dropped: number;
  /** Publishes on topics other than requests to the device's own twin. */
  droppedPublishes: number;
}

export interface Endpoint {
  readonly twins: Twins;
  readonly devices: KnownDevices;
  /** Where devices connect to several servers: their sessions with all of them. */
  readonly sessions?: Sessions | undefined;
  /** Shared with REST. */
  readonly failures: FailedAttempts;
  readonly shares: Shares;
  /** The revocations of devices, for the requests that outlive their connections. */
  readonly revocations: {
    /** How many there were since the start. */
    readonly count: number;
    /** Whether the device was among those after the first `count`. */
    hit(deviceId: string, count: number): boolean;
  };
  /** The answers that a device has not read, over all its connections. */
  readonly backlogOf: (deviceId: string) => Backlog;
  readonly limits: MqttLimits;
  readonly audit: Audit;
  readonly log: Logger;
  /** Bounds the log lines that each source can cause. */
  readonly warnings: LineLimit;
  readonly counters: MqttCounters;
}

const METRICS: readonly [counter: keyof MqttCounters, type: Metric['type'], name: string, help: string][] = [
  ['connections', 'gauge', 'connections', 'open MQTT connections'],
  ['accepted', 'counter', 'connects_accepted_total', 'MQTT connections that were accepted'],
  ['refused', 'counter', 'connects_refused_total', 'MQTT connections that were refused by a CONNACK'],
  ['dropped', 'counter', 'connections_dropped_total', 'MQTT connections that the server closed'],
  [
    'droppedPublishes',
    'counter',
    'publishes_dropped_total',
    'MQTT publishes on topics other than requests to the own twin',
  ],
];

export const mqttMetrics = (counters: Readonly<MqttCounters>): Metric[] =>
  METRICS.map(([counter, type, name, help]) => ({
    type,
    name: `twin_mqtt_${name}`,
    help,
    read: () => counters[counter],
  }));
