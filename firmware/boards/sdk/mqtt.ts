/** The SDK's MQTT client (`embedded:network/mqtt/client`, 8.2) without its traps. */

import type { MqttClient, MqttControl, MqttOptions } from '../../board.js';
import { type GateParts, type Secure, type SocketClass, type SocketOptions, securedBy } from './gate.js';

/** Control packet type [MQTT-2.2.1], and the first byte of the packet. */
const CONNACK = 2;
const CONNACK_HEADER = 0x20;
/** Where its return code stands [MQTT-3.2.2]. */
const RETURN_CODE_AT = 3;

interface NameQuery {
  host: string;
  onResolved(host: string, address: string): void;
}

/** The client itself; it calls `onControl` with the message alone. */
interface SdkClientOptions extends Omit<MqttOptions, 'onControl' | 'onError'> {
  host: string;
  port: number;
  id: string;
  user: string;
  password: string | undefined;
  dns: object;
  socket: object;
  onControl: (message: MqttControl) => void;
  onError: () => void;
}

/** What the board takes from the SDK. */
export interface MqttParts extends GateParts {
  Client: new (options: SdkClientOptions) => MqttClient;
  TLS: SocketClass;
  /** `System.resolve`: no address when there is none. */
  resolve(name: string, callback: (name: string, address: string | undefined) => void): void;
}

export interface MqttDestination {
  host: string;
  port: number;
  device: string;
  password: string | undefined;
  secure?: Secure | undefined;
}

/**
 * Opens a connection. What the SDK's client does otherwise: closed while the name is being resolved, it throws when
 * that is done; of what ended it, a refusal included, it tells nothing; a packet or a certificate that it cannot bear is an
 * exception in a callback of the socket, which would restart the board. (A PUBLISH without a payload makes it deaf:
 * the keep-alive finds that out.)
 */
export function openMqtt(parts: MqttParts, to: MqttDestination, options: MqttOptions): MqttClient {
  let over = false;
  let refusal = 0;
  let reached = false;

  const fail = (error?: unknown): void => {
    if (over) return;
    over = true;
    if (refusal > 0) options.onControl(CONNACK, { operation: CONNACK, returnCode: refusal });
    else options.onError(error);
  };

  const guard =
    <T>(callback: ((value: T) => void) | undefined) =>
    (value: T): void => {
      if (over) return;
      try {
        callback?.(value);
      } catch (error) {
        fail(error);
      }
    };

  /** The same socket: its callbacks never throw, and the first bytes that the client reads are looked at. */
  const watched = (Socket: SocketClass): SocketClass => {
    let at = 0;
    return class extends Socket {
      constructor(given: SocketOptions) {
        super({
          ...given,
          onReadable: guard(given.onReadable),
          onWritable: guard((count: number) => {
            reached = true;
            given.onWritable?.(count);
          }),
          onError: guard(given.onError),
        });
      }
      override read(count?: unknown): unknown {
        const part = super.read(count);
        if (at === 0 && part !== CONNACK_HEADER) at = RETURN_CODE_AT + 1;
        if (at === RETURN_CODE_AT) refusal = Number(part);
        at += 1;
        return part;
      }
    };
  };

  class Names {
    resolve(query: NameQuery): void {
      parts.resolve(query.host, (name, address) => {
        if (over) return;
        if (address === undefined) fail(`${name} is not known`);
        else query.onResolved(name, address);
      });
    }
  }

  const client = new parts.Client({
    ...to,
    ...options,
    id: to.device,
    user: to.device,
    dns: { io: Names },
    socket:
      to.secure === undefined
        ? { io: watched(parts.TCP) }
        : { io: watched(parts.TLS), ...securedBy(to.secure, to.host, parts, guard) },
    onControl: (message) => options.onControl(message.operation, message),
    onError: () => fail(reached ? 'the connection ended' : 'no connection was made'),
  });

  return {
    read: (count) => client.read(count),
    write: (data, given) => client.write(data, given),
    close() {
      over = true;
      client.close();
    },
  };
}
