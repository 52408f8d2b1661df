/**
 * The header that a TCP load balancer writes before the bytes of each client: version 2 of the PROXY protocol
 * (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, 2.2). Version 1, which is text, is not read.
 */

import { SocketAddress } from 'node:net';

/** The longest header, with its 16 bytes that are always there. HAProxy writes 52 for IPv6, and further fields as configured. */
export const PROXY_HEADER_BYTES = 2048;

/** A client as the balancer sees it. */
export interface Client {
  readonly address: string;
  readonly port: number;
}

/**
 * - `absent`: the bytes begin otherwise.
 * - `incomplete`: they may be the beginning of a header.
 * - `malformed`: the header is longer than `PROXY_HEADER_BYTES`, or the specification does not know it.
 */
export type ProxyHeader = 'absent' | 'incomplete' | 'malformed' | CompleteHeader;

interface CompleteHeader {
  /** The bytes of the header. The client's own bytes are behind them. */
  readonly length: number;
  /** Without it the connection is the balancer's own, such as a health check, or its client has no address. */
  readonly client?: Client;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** The signature, the version with the command, the family, and the length of the rest. */
const FIXED_BYTES = 16;
const LOCAL = 0x20;
const PROXY = 0x21;

interface Family {
  /** What its addresses take. */
  readonly bytes: number;
  readonly clientOf?: (addresses: Buffer) => Client;
}

const NO_ADDRESSES: Family = { bytes: 0 };

const FAMILIES: ReadonlyMap<number, Family> = new Map<number, Family>([
  [0x00, NO_ADDRESSES],
  [
    0x11,
    { bytes: 12, clientOf: (addresses) => ({ address: ipv4(addresses), port: addresses.readUInt16BE(8) }) },
  ],
  [
    0x21,
    { bytes: 36, clientOf: (addresses) => ({ address: ipv6(addresses), port: addresses.readUInt16BE(32) }) },
  ],
  // A Unix socket: its name is no address that limits could count.
  [0x31, { bytes: 216 }],
]);

/** Reads the header at the beginning of a connection's bytes. The fields behind its addresses are skipped. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const begun = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, begun, 0, begun) !== 0) return 'absent';
  if (bytes.length < FIXED_BYTES) return 'incomplete';
  const command = bytes.readUInt8(12);
  const length = FIXED_BYTES + bytes.readUInt16BE(14);
  if ((command !== LOCAL && command !== PROXY) || length > PROXY_HEADER_BYTES) return 'malformed';
  const family = command === LOCAL ? NO_ADDRESSES : FAMILIES.get(bytes.readUInt8(13));
  if (family === undefined || length < FIXED_BYTES + family.bytes) return 'malformed';
  if (bytes.length < length) return 'incomplete';
  if (family.clientOf === undefined) return { length };
  return { length, client: family.clientOf(bytes.subarray(FIXED_BYTES)) };
}

const ipv4 = (bytes: Buffer): string => bytes.subarray(0, 4).join('.');

const MAPPED_IPV4 = Buffer.from('00000000000000000000ffff', 'hex');

/** In the form in which Node writes the address of a socket. An IPv4 address that is mapped into IPv6 is returned as IPv4. */
function ipv6(bytes: Buffer): string {
  const mapped = MAPPED_IPV4.length;
  if (bytes.subarray(0, mapped).equals(MAPPED_IPV4)) return ipv4(bytes.subarray(mapped));
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => bytes.readUInt16BE(at).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
