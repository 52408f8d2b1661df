/** The SDK's MQTT client (`embedded:network/mqtt/client`, 8.2) without its traps. */

import type { MqttClient, MqttControl, MqttOptions } from '../../board.js';

/** Control packet type [MQTT-2.2.1], and the first byte of the packet. */
const CONNACK = 2;
const CONNACK_HEADER = 0x20;
/** Where its return code stands [MQTT-3.2.2]. */
const RETURN_CODE_AT = 3;

interface SocketOptions {
  onReadable?: (count: number) => void;
  onWritable?: (count: number) => void;
  onError?: (reason?: unknown) => void;
}

/** A TCP or TLS socket (ECMA-419), as far as it is looked at here. */
interface Socket {
  read(count?: unknown): unknown;
}

type SocketClass = new (options: SocketOptions) => Socket;

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
export interface MqttParts {
  Client: new (options: SdkClientOptions) => MqttClient;
  TCP: SocketClass;
  /** For `mqtts`. */
  TLS: SocketClass | undefined;
  /** `System.resolve`: no address when there is none. */
  resolve(name: string, callback: (name: string, address: string | undefined) => void): void;
}

export interface MqttDestination {
  host: string;
  port: number;
  device: string;
  password: string | undefined;
  /** For `mqtts`: what the TLS session is to know, authority, certificate, key. */
  secure?: object | undefined;
}

/**
 * Opens a connection. What the SDK's client does otherwise: closed while the name is being resolved, it throws when
 * that is done; of a refusal it tells nothing but an error; a packet or a certificate that it cannot bear is an
 * exception in a callback of the socket, which would restart the board. (A PUBLISH without a payload makes it deaf:
 * the keep-alive finds that out.)
 */
export function openMqtt(parts: MqttParts, to: MqttDestination, options: MqttOptions): MqttClient {
  let over = false;
  let refusal = 0;

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
          onWritable: guard(given.onWritable),
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

  const tcp = { io: watched(parts.TCP) };
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
    socket: parts.TLS === undefined ? tcp : { io: watched(parts.TLS), TCP: tcp, secure: to.secure },
    onControl: (message) => options.onControl(message.operation, message),
    onError: () => fail(),
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
