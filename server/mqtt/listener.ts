import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Address } from '../config.js';
import type { Twins } from '../twins/twins.js';
import type { Peer } from './admission.js';
import { Connections } from './connections.js';
import type { KnownDevices, MqttCounters, MqttSettings } from './endpoint.js';

export interface MqttParts {
  readonly twins: Twins;
  readonly devices: KnownDevices;
  readonly settings: MqttSettings & { readonly mqtt: Address };
  readonly log: Logger;
}

export interface Mqtt {
  /** Where it listens. */
  readonly address: AddressInfo;
  /** Grows while it runs. */
  readonly counters: Readonly<MqttCounters>;
  /** Serves a client that came another way than the plain listener. */
  open(stream: Duplex, peer: Peer): void;
  /** Accepts no one, answers what was asked, ends every connection; takes at most `mqttStopMs`. */
  close(): Promise<void>;
}

/**
 * The in-band endpoint on plain TCP.
 * @throws the system's error when it cannot listen, such as EADDRINUSE
 */
export async function startMqtt({ twins, devices, settings, log }: MqttParts): Promise<Mqtt> {
  const counters: MqttCounters = { connections: 0, accepted: 0, refused: 0, dropped: 0, droppedPublishes: 0 };
  const connections = new Connections({ twins, devices, settings, log, counters });
  const server = createServer({ noDelay: true }, (socket) => {
    connections.open(socket, { address: `${socket.remoteAddress}:${socket.remotePort}`, secure: false });
  });
  server.listen(settings.mqtt.port, settings.mqtt.host);
  await once(server, 'listening');
  server.on('error', (error) => log.error({ err: error }, 'mqtt listener'));
  const unwatch = devices.watch((deviceId, why) => connections.revoke(deviceId, why));

  return {
    address: server.address() as AddressInfo,
    counters,
    open: (stream, peer) => connections.open(stream, peer),
    async close() {
      const closed = once(server, 'close');
      server.close();
      await connections.finish(settings.mqttStopMs);
      await closed;
      unwatch();
    },
  };
}
