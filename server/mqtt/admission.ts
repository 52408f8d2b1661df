import type { FailedAttempts } from '../access/failures.js';
import type { Device } from '../devices/device.js';
import { StorageUnavailable } from '../storage/storage.js';
import type { ShownCertificate } from '../tls/shown-certificate.js';
import type { KnownDevices } from './endpoint.js';
import type { Connect } from './packet.js';
import { sourceOfPeer } from './peer.js';
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
const BLOCKED = refuse(CONNACK.unavailable, 'too many failed attempts from there');
const UNKNOWN = refuse(CONNACK.badUserNameOrPassword, 'wrong user name or password');
const DISABLED = refuse(CONNACK.notAuthorized, 'the device is disabled');
const INSECURE = refuse(CONNACK.notAuthorized, 'the device must show its certificate');
const REPLACED = refuse(CONNACK.notAuthorized, 'the certificate is of no device, or was replaced');
const OTHER_NAME = refuse(CONNACK.badUserNameOrPassword, "the user name is not the certificate's");

/** What is asked of those who decide: the registry, and the failures of the source so far. */
export interface Gate {
  readonly devices: Pick<KnownDevices, 'authenticate' | 'certified'>;
  readonly failures: Pick<FailedAttempts, 'blockedMs' | 'failed' | 'succeeded' | 'knows'>;
}

/** Whether a client may come in, step by step; the first step that refuses decides. */
export async function admit(connect: Connect, peer: Peer, gate: Gate): Promise<Verdict> {
  const { certificate } = peer;
  if (connect.clientId === '' && !connect.clean) return NO_CLIENT_ID;
  try {
    if (certificate !== undefined) return await byCertificate(connect, certificate, gate);
    return await byPassword(connect, sourceOfPeer(peer), gate);
  } catch (error) {
    if (error instanceof StorageUnavailable) return UNAVAILABLE;
    throw error;
  }
}

/** Who shows a certificate is that device or nobody: no password mends it. */
async function byCertificate(
  { userName }: Connect,
  { deviceId, sha256, fault }: ShownCertificate,
  { devices }: Gate,
): Promise<Verdict> {
  if (fault !== undefined) return refuse(CONNACK.notAuthorized, `the certificate does not count: ${fault}`);
  if (userName !== undefined && userName !== deviceId) return OTHER_NAME;
  const device = await devices.certified(deviceId, sha256);
  if (device === undefined) return REPLACED;
  return device.status === 'enabled' ? { device } : DISABLED;
}

/**
 * A password is for devices that cannot do TLS, whatever they come by. Where too many were wrong, nobody learns whether one
 * is right but the devices that came in from there before.
 */
async function byPassword(
  { userName, password }: Connect,
  source: string,
  { devices, failures }: Gate,
): Promise<Verdict> {
  if (userName === undefined || password === undefined) return failed(source, failures);
  const isKnown = failures.knows(source, userName);
  const isBlocked = () => !isKnown && failures.blockedMs(source) > 0;
  if (isBlocked()) return BLOCKED;
  const device = await devices.authenticate(userName, password);
  // Many may have asked at the same time.
  if (isBlocked()) return BLOCKED;
  if (device === undefined) return failed(source, failures);
  if (device.status !== 'enabled') return DISABLED;
  if (!device.allow_insecure) return INSECURE;
  failures.succeeded(source, device.id);
  return { device };
}

function failed(source: string, failures: Gate['failures']): Verdict {
  if (failures.blockedMs(source) > 0) return BLOCKED;
  failures.failed(source);
  return UNKNOWN;
}
