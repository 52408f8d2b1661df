/** Decides whether a client is admitted, by its certificate or its password. */

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FailedAttempts } from '../access/failures.js';
import { sourceOf } from '../access/source.js';
import type { Device } from '../devices/device.js';
import { StorageUnavailable } from '../storage/storage.js';
import type { ShownCertificate } from '../tls/shown-certificate.js';
import type { Tls } from '../tls/tls.js';
import type { KnownDevices } from './endpoint.js';
import { CONNACK, type ConnackCode, type Connect } from './packet.js';

/** How a connection reached the server. */
export interface Peer {
  /** As host:port. */
  readonly address: string;
  /** The connection is encrypted. */
  readonly secure: boolean;
  /** The certificate that the client showed in the TLS handshake. */
  readonly certificate?: ShownCertificate;
}

/** The other end of an accepted socket. @param tls that of the listener, when it speaks TLS */
export function peerOf(socket: Socket, tls: Tls | undefined): Peer {
  const address = `${socket.remoteAddress}:${socket.remotePort}`;
  if (tls === undefined) return { address, secure: false };
  const certificate = tls.shown(socket as TLSSocket);
  return certificate === undefined ? { address, secure: true } : { address, secure: true, certificate };
}

/** The source that limits count a peer for: its address without the port, or the /64 of an IPv6 address. */
export const sourceOfPeer = ({ address }: Peer): string =>
  sourceOf(address.slice(0, address.lastIndexOf(':')));

/** Why a CONNECT is refused. The code is for the client, the reason for the log. */
export interface Refusal {
  readonly code: Exclude<ConnackCode, 0>;
  readonly reason: string;
}

export type Verdict = { readonly device: Device } | { readonly refusal: Refusal };

const refuse = (code: Exclude<ConnackCode, 0>, reason: string) => ({ refusal: { code, reason } });

const NO_CLIENT_ID = refuse(CONNACK.clientId, 'neither client id nor clean session [MQTT-3.1.3-8]');
export const UNAVAILABLE = refuse(CONNACK.unavailable, 'storage unavailable');
const BLOCKED = refuse(CONNACK.unavailable, 'too many failed attempts from there');
const UNKNOWN = refuse(CONNACK.badUserNameOrPassword, 'wrong user name or password');
const DISABLED = refuse(CONNACK.notAuthorized, 'the device is disabled');
const INSECURE = refuse(CONNACK.notAuthorized, 'the device must show its certificate');
const REPLACED = refuse(CONNACK.notAuthorized, 'the certificate is of no device, or was replaced');
const OTHER_NAME = refuse(CONNACK.badUserNameOrPassword, "the user name is not the certificate's");

/** What an admission depends on. */
interface Gate {
  readonly devices: Pick<KnownDevices, 'authenticate' | 'certified'>;
  readonly failures: Pick<FailedAttempts, 'blockedMs' | 'failed' | 'succeeded' | 'knows'>;
}

/** The device that is admitted with a CONNECT, or why it is refused. The first rule that refuses decides. */
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

/** When a client shows a certificate, only that decides. A right password does not help a wrong certificate. */
async function byCertificate(
  { userName }: Connect,
  { deviceId, sha256, fault }: ShownCertificate,
  { devices }: Gate,
): Promise<Verdict> {
  if (fault !== undefined) return refuse(CONNACK.notAuthorized, `the certificate is refused: ${fault}`);
  if (userName !== undefined && userName !== deviceId) return OTHER_NAME;
  const device = await devices.certified(deviceId, sha256);
  if (device === undefined) return REPLACED;
  return device.status === 'enabled' ? { device } : DISABLED;
}

/**
 * Only devices with `allow_insecure` may use a password, over any transport. A source with too many failed attempts is
 * blocked, except for the devices that were admitted from there before.
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
  // Other attempts of the source may have failed while this one was checked.
  if (isBlocked()) return BLOCKED;
  if (device === undefined) return failed(source, failures, userName);
  if (device.status !== 'enabled') return DISABLED;
  if (!device.allow_insecure) return INSECURE;
  failures.succeeded(source, device.id);
  return { device };
}

function failed(source: string, failures: Gate['failures'], id?: string): Verdict {
  if (failures.blockedMs(source, id) > 0) return BLOCKED;
  failures.failed(source, id);
  return UNKNOWN;
}
