/** Headers of the PROXY protocol, version 2, as a balancer writes them. */

import { isIPv6, SocketAddress } from 'node:net';

export const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** @param rest what stands behind the fields that are always there: addresses, ports, further fields */
export function headerOf(command: number, family: number, rest: Buffer): Buffer {
  const fixed = Buffer.from([command, family, rest.length >> 8, rest.length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, rest]);
}

/** The header of a client, who has connected to port 443 of the balancer. */
export function headerFor(address: string, port: number, more: Buffer = Buffer.alloc(0)): Buffer {
  const isV6 = isIPv6(address);
  const bytes = isV6 ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const ports = Buffer.from([port >> 8, port & 0xff, 443 >> 8, 443 & 0xff]);
  return headerOf(0x21, isV6 ? 0x21 : 0x11, Buffer.concat([bytes, bytes, ports, more]));
}

/** Of an address that is written in full, or with one gap. */
function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [left, right] = [groups(head), groups(tail)];
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** As Node writes it. */
export const written = (address: string): string =>
  new SocketAddress({ address, family: isIPv6(address) ? 'ipv6' : 'ipv4' }).address;
