import type { Device } from '../devices/device.js';
import type { Peer } from './admission.js';
import { type ClientStream, Connection } from './connection.js';
import type { Endpoint } from './endpoint.js';

/** Every open connection, and which of them belong to which device. */
export class Connections {
  readonly #endpoint: Endpoint;
  readonly #all = new Set<Connection>();
  readonly #byDevice = new Map<string, Set<Connection>>();
  #emptied: (() => void) | undefined;
  #finishing = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Serves a client on a stream, whatever carries it. */
  open(stream: ClientStream, peer: Peer): void {
    if (this.#finishing) {
      stream.destroy();
      return;
    }
    this.#all.add(new Connection(stream, peer, this.#endpoint, this));
    this.#endpoint.counters.connections++;
  }

  /** The stream has closed. */
  closed(connection: Connection): void {
    this.#all.delete(connection);
    this.#endpoint.counters.connections--;
    if (this.#all.size === 0) this.#emptied?.();
  }

  /**
   * The connection now speaks for a device. It takes over the device's other connections, or where a device may have
   * several, those of the same client id [MQTT-3.1.4-2].
   */
  join(connection: Connection, device: Device, clientId: string): void {
    const others = this.#byDevice.get(device.id) ?? new Set();
    const taken = [...others].filter(
      (other) => !device.allow_multiple_connections || (clientId !== '' && other.clientId === clientId),
    );
    if (others.size === 0) this.#endpoint.devices.connected(device.id);
    this.#byDevice.set(device.id, others.add(connection));
    for (const other of taken) other.drop('taken over by a new connection');
  }

  /** The connection no longer speaks for its device. */
  leave(connection: Connection, deviceId: string): void {
    const others = this.#byDevice.get(deviceId);
    if (others?.delete(connection) !== true || others.size > 0) return;
    this.#byDevice.delete(deviceId);
    this.#endpoint.devices.disconnected(deviceId);
  }

  /** The device has lost its rights: its connections close, even one that is still being authenticated. */
  revoke(deviceId: string, why: string): void {
    for (const connection of this.#all) {
      if (connection.deviceId === deviceId) connection.revoke(`the device lost its connections: ${why}`);
    }
  }

  /** Ends every connection when its requests are answered, at the latest after `limitMs` milliseconds. */
  async finish(limitMs: number): Promise<void> {
    this.#finishing = true;
    if (this.#all.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const connection of this.#all) connection.finish();
    const limit = setTimeout(() => {
      for (const connection of this.#all) connection.destroy();
    }, limitMs);
    await emptied;
    clearTimeout(limit);
  }
}
