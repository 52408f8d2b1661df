import type { Device } from '../devices/device.js';
import type { Endpoint } from './endpoint.js';

/** What the other connections need of a connection. */
export interface Neighbour {
  /** The device that it speaks for. Before it is admitted, the device that it claims to be. */
  readonly deviceId: string | undefined;
  readonly clientId: string | undefined;
  close(ending: 'taken over' | 'revoked' | 'stopped', reason: string): void;
  /** Closes at once, without sending what is left. */
  destroy(): void;
}

/** Every open connection, and which of them speak for which device. */
export class Connections {
  readonly #endpoint: Pick<Endpoint, 'devices' | 'counters' | 'limits'>;
  readonly #all = new Set<Neighbour>();
  readonly #byDevice = new Map<string, Set<Neighbour>>();
  #emptied: (() => void) | undefined;

  constructor(endpoint: Pick<Endpoint, 'devices' | 'counters' | 'limits'>) {
    this.#endpoint = endpoint;
  }

  /** A client has come. */
  add(connection: Neighbour): void {
    this.#all.add(connection);
    this.#endpoint.counters.connections++;
  }

  /** The connection's stream has closed. */
  remove(connection: Neighbour): void {
    this.#all.delete(connection);
    this.#endpoint.counters.connections--;
    if (this.#all.size === 0) this.#emptied?.();
  }

  /**
   * The connection now speaks for a device. It takes over the device's other connections. When a device may have
   * several connections, it takes over only those with the same client id [MQTT-3.1.4-2], or the oldest one when there
   * are too many.
   * @param connectedAt when it connected as other servers know it, in milliseconds since 1970; by default now
   */
  join(connection: Neighbour, device: Device, clientId: string, connectedAt?: number): void {
    const others = this.#byDevice.get(device.id) ?? new Set();
    const taken = [...others].filter(
      (other) => !device.allow_multiple_connections || (clientId !== '' && other.clientId === clientId),
    );
    const [oldest] = others;
    if (
      taken.length === 0 &&
      oldest !== undefined &&
      others.size >= this.#endpoint.limits.deviceConnections
    ) {
      taken.push(oldest);
    }
    if (others.size === 0) this.#endpoint.devices.presence.connected(device.id, connectedAt);
    this.#byDevice.set(device.id, others.add(connection));
    for (const other of taken) other.close('taken over', 'taken over by a new connection');
  }

  /** The connection no longer speaks for its device. */
  leave(connection: Neighbour, deviceId: string): void {
    const others = this.#byDevice.get(deviceId);
    if (others?.delete(connection) !== true || others.size > 0) return;
    this.#byDevice.delete(deviceId);
    this.#endpoint.devices.presence.disconnected(deviceId);
  }

  /** Closes the connections of a device that has lost its rights, and those that are still being authenticated. */
  revoke(deviceId: string, why: string): void {
    for (const connection of this.#all) {
      if (connection.deviceId === deviceId) {
        connection.close('revoked', `the device may no longer be connected: ${why}`);
      }
    }
  }

  /** Ends each connection when its requests are answered, or after `limitMs` milliseconds. */
  async stop(limitMs: number): Promise<void> {
    if (this.#all.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const connection of this.#all) connection.close('stopped', 'the server stops');
    const limit = setTimeout(() => {
      for (const connection of this.#all) connection.destroy();
    }, limitMs);
    await emptied;
    clearTimeout(limit);
  }
}
