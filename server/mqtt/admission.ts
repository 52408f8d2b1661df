import type { Device } from '../devices/device.js';
import { StorageUnavailable } from '../storage/storage.js';
import type { ShownCertificate } from '../tls/shown-certificate.js';
import type { KnownDevices } from './endpoint.js';
import type { Connect } from './packet.js';
import { CONNACK, type ConnackCode } from './write.js';

/** How a connection reached the server. */
export interface Peer {
  /** host:port */
  readonly address: string;
  /** Nobody on the way can read or change what is said. */
  readonly secure: boolean;
  /** What the client showed in the TLS handshake. */
  readonly certificate?: ShownCertificate;
}

/** Why a CONNECT is refused: the code for the client, the reason for the log. */
export interface Refusal {
  readonly code: Exclude<ConnackCode, 0>;
  readonly reason: string;
}

export type Verdict = { readonly device: Device } | { readonly refusal: Refusal };

const refuse = (code: Exclude<ConnackCode, 0>, reason: string) => ({ refusal: { code, reason } });

export const WRONG_PROTOCOL = refuse(CONNACK.protocol, 'not MQTT 3.1.1 [MQTT-3.1.2-2]').refusal;
const NO_CLIENT_ID = refuse(CONNACK.clientId, 'neither client id nor clean session [MQTT-3.1.3-8]');
const UNAVAILABLE = refuse(CONNACK.unavailable, 'storage unavailable');
const UNKNOWN = refuse(CONNACK.badUserNameOrPassword, 'wrong user name or password');
const DISABLED = refuse(CONNACK.notAuthorized, 'the device is disabled');
const INSECURE = refuse(CONNACK.notAuthorized, 'the device may not use an insecure connection');

/** Whether a client may come in, step by step; the first step that refuses decides. */
export async function admit(
  connect: Connect,
  peer: Peer,
  devices: Pick<KnownDevices, 'authenticate'>,
): Promise<Verdict> {
  if (connect.clientId === '' && !connect.clean) return NO_CLIENT_ID;
  const { userName, password } = connect;
  if (userName === undefined || password === undefined) return UNKNOWN;
  let device: Device | undefined;
  try {
    device = await devices.authenticate(userName, password);
  } catch (error) {
    if (error instanceof StorageUnavailable) return UNAVAILABLE;
    throw error;
  }
  if (device === undefined) return UNKNOWN;
  if (device.status !== 'enabled') return DISABLED;
  if (!peer.secure && !device.allow_insecure) return INSECURE;
  return { device };
}
