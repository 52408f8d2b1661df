/** Why a panel on this computer is offline, in the words of a person who can do something about it. Pure. */

import { callOf } from '../../shared/call.js';

/** What ended a connection, or kept it from being made. */
export type Fault =
  | { readonly error: NodeJS.ErrnoException }
  /** The return code of the CONNACK [MQTT-3.2.2.3]. */
  | { readonly returnCode: number };

/** Node's codes of a failed connection, and what each means for a server at `host:port`. */
const CONNECTIONS: Record<string, (at: string) => string> = {
  ECONNREFUSED: (at) => `nothing listens at ${at}: is the server running, and is that its port for MQTT?`,
  ENOTFOUND: (at) => `no address is known for the name in ${at}: check --server`,
  EAI_AGAIN: (at) => `the name in ${at} could not be looked up: is there a network?`,
  EHOSTUNREACH: (at) => `there is no way to ${at}: is the machine on, and in the same network?`,
  ENETUNREACH: (at) => `there is no way to ${at}: is there a network?`,
  ETIMEDOUT: (at) => `${at} does not answer: is the machine on, or does a firewall drop the packets?`,
  ECONNRESET: (at) => `${at} closed the connection: mqtts:// is for the port with TLS, mqtt:// for the other`,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  DEPTH_ZERO_SELF_SIGNED_CERT: notTrusted,
  SELF_SIGNED_CERT_IN_CHAIN: notTrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: notTrusted,
  UNABLE_TO_GET_ISSUER_CERT: notTrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: notTrusted,
  CERT_SIGNATURE_FAILURE: notTrusted,
  CERT_HAS_EXPIRED: (at) => `the certificate of ${at} has expired: check the clocks of both machines`,
  CERT_NOT_YET_VALID: (at) => `the certificate of ${at} is not valid yet: check the clocks of both machines`,
  ERR_TLS_CERT_ALTNAME_INVALID: (at) =>
    `the certificate of ${at} does not hold that name: use one that it holds, or add it to TWIN_NAMES of the server`,
};

function noTls(at: string): string {
  return `${at} does not speak TLS: use mqtt://, or the port with TLS`;
}

function notTrusted(at: string): string {
  return `the certificate of ${at} is not trusted: --ca needs the authority that "${callOf('twin')} ca" prints`;
}

const CHECK_PASSWORD =
  'check --device, which is the id and not the name, and the password, which "device renew" replaces';

const RETURN_CODES: Record<number, string> = {
  1: 'the server does not speak MQTT 3.1.1',
  2: 'the server refuses the id of the device',
  3: 'the server is not available, or blocks this address for a minute after many wrong passwords',
  4: `bad user name or password: ${CHECK_PASSWORD}`,
  5: `not authorized: "${callOf('twin')} device show ID" says whether the device is enabled, and whether it may connect without a certificate (allow_insecure)`,
};

/** @param server `mqtt://host:port` or `mqtts://host:port` */
export function offlineText(server: string, fault: Fault): string {
  const { host, protocol } = new URL(server);
  if ('returnCode' in fault)
    return RETURN_CODES[fault.returnCode] ?? `the server refuses the device, CONNACK ${fault.returnCode}`;
  const { code = '', message } = fault.error;
  const known = CONNECTIONS[code];
  if (known !== undefined) return known(host);
  return `the connection to ${host} failed${protocol === 'mqtts:' ? ', perhaps in TLS' : ''}: ${message}`;
}
