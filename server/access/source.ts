import { isIPv6 } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const NETWORK_GROUPS = 4;
/** The sources of 127.0.0.1 and of ::1. */
const OWN_MACHINE = ['127.0.0.1', '0:0:0:0::/64'];

/**
 * The source that limits count. It is an IPv4 address, also when it is mapped into IPv6. Of an IPv6 address it is the
 * /64, because one subscriber can use all addresses of it. Any other text is its own source.
 */
export function sourceOf(address: string): string {
  const plain = plainAddress(address);
  return isIPv6(plain) ? `${network(plain)}::/64` : plain;
}

/** Whether it is the source of the programs of this machine, unless they chose another address. */
export const isOwnMachine = (source: string): boolean => OWN_MACHINE.includes(source);

/** The address without a zone. An IPv4 address that is mapped into IPv6 is returned as IPv4. */
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

/** An IPv4 address at the end replaces two groups, which are never among the first four. */
const groupsOf = (part: string): string[] =>
  part === '' ? [] : part.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
