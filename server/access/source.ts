import { isIPv6 } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const NETWORK_GROUPS = 4;

/**
 * What limits count as one source: an IPv4 address as it is, also where it is mapped into IPv6; of IPv6 the /64, within
 * which one subscriber may choose addresses freely. What is no address stands for itself.
 */
export function sourceOf(address: string): string {
  const plain = plainAddress(address);
  return isIPv6(plain) ? `${network(plain)}::/64` : plain;
}

/** Without a zone, and an IPv4 address that is mapped into IPv6 as itself. */
export function plainAddress(address: string): string {
  const [, mapped] = MAPPED_IPV4.exec(address) ?? [];
  return mapped ?? address.split('%')[0] ?? '';
}

/** The first four groups, without leading zeros. */
function network(address: string): string {
  const [head = '', tail] = address.split('::');
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right]
    .slice(0, NETWORK_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** An IPv4 address at the end takes the place of two groups; those two are never of the network. */
const groupsOf = (part: string): string[] =>
  part === '' ? [] : part.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
