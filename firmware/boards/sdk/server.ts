/** The server that the manifest's `config` names, reached by the SDK's own modules. */

import TCP from 'embedded:io/socket/tcp';
import TLSSocket from 'embedded:io/socket/tcp/tls';
import UDP from 'embedded:io/socket/udp';
import MQTTClient from 'embedded:network/mqtt/client';
import type { Board, Time } from '../../board.js';
import { type MqttDestination, type MqttParts, openMqtt } from './mqtt.js';
import { p256 } from './p256.js';
import { timers } from './platform.js';
import { sntpQuery, type TimeServer, timeServerOf, type UdpSocket } from './sntp.js';

export interface ServerConfig extends Omit<MqttDestination, 'secure' | 'password'> {
  /** Absent with a certificate. */
  password?: string;
  /** The server's authority, which makes it `mqtts`. DER in base64, as all three. */
  ca?: string;
  /** The device's certificate and its key [RFC 5958]. */
  certificate?: string;
  key?: string;
  /** An NTP server that tells the time in the place of the server itself. */
  timeServer?: string;
}

export function connectionTo(config: ServerConfig): Board['mqtt'] {
  const { ca, certificate, key } = config;
  const secure = ca && {
    authority: bytes(ca),
    clientCertificates: certificate && [bytes(certificate).buffer],
    clientKey: key && bytes(key).buffer,
  };
  // One by one: the config holds words of the SDK's own as well, which its client would take for its options.
  const to = {
    host: config.host,
    port: config.port,
    device: config.device,
    password: config.password,
    secure,
  };
  const parts = {
    Client: MQTTClient,
    TCP,
    TLS: TLSSocket,
    resolve: System.resolve,
    p256,
    timers,
    now: Date.now,
  };
  return (options) => openMqtt(parts as unknown as MqttParts, to as MqttDestination, options);
}

export const timeOf = (config: TimeServer & Pick<ServerConfig, 'timeServer'>): Time['query'] =>
  sntpQuery(timeServerOf(config), {
    open: (onReadable) => new UDP({ onReadable }) as unknown as UdpSocket,
    resolve: System.resolve as never,
    timers,
    random: Math.random,
  });

const bytes = (text: string): Uint8Array => Uint8Array.fromBase64(text);
