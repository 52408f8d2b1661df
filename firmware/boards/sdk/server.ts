/** The server that the manifest's `config` names, reached by the SDK's own modules. */

import TCP from 'embedded:io/socket/tcp';
import TLSSocket from 'embedded:io/socket/tcp/tls';
import MQTTClient from 'embedded:network/mqtt/client';
import type { Board } from '../../board.js';
import { type MqttDestination, type MqttParts, openMqtt } from './mqtt.js';

export interface ServerConfig extends Omit<MqttDestination, 'secure'> {
  /** The server's authority, which makes it `mqtts`. DER in base64, as all three. */
  ca?: string;
  /** The device's certificate and its key [RFC 5958]. */
  certificate?: string;
  key?: string;
}

export function connectionTo(config: ServerConfig): Board['mqtt'] {
  const secure = secureBy(config);
  const parts = {
    Client: MQTTClient,
    TCP,
    ...(secure !== undefined && { TLS: TLSSocket }),
    resolve: System.resolve,
  } as unknown as MqttParts;
  return (options) => openMqtt(parts, { ...config, ...(secure !== undefined && { secure }) }, options);
}

/** The SDK's TLS has its authorities in `certificate`, and verifies unless it is told not to. */
function secureBy({ ca, certificate, key }: ServerConfig): object | undefined {
  if (ca === undefined) return undefined;
  const authority = { certificate: bytes(ca) };
  if (certificate === undefined || key === undefined) return authority;
  return { ...authority, clientCertificates: [bytes(certificate)], clientKey: bytes(key) };
}

const bytes = (text: string): ArrayBufferLike => Uint8Array.fromBase64(text).buffer;
