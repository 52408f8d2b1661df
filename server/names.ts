import { BlockList, isIP, isIPv6 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

/** The names of this machine for itself. */
export const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '::1'];

const LOOPBACK_NETWORKS = new BlockList();
LOOPBACK_NETWORKS.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK_NETWORKS.addAddress('::1', 'ipv6');

/** Whether a host name or an address leads to this machine only. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK_NETWORKS.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/**
 * Whether a text is a host name as a certificate may hold it. Underscores are allowed, because names of containers have
 * them.
 */
export const isHostName = (text: string): boolean =>
  text.length <= 253 && /^(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/i.test(text);

/**
 * The names and addresses of the server, each once. They are the given ones, or this machine's host name (also as
 * `.local`, its name in multicast DNS) and addresses. Those of the loopback are always added.
 */
export function serverNames(given: readonly string[]): string[] {
  const own = given.length > 0 ? given : [...hostNames(hostname().toLowerCase()), ...addresses()];
  return [...new Set([...own, ...LOOPBACK])];
}

function hostNames(name: string): string[] {
  if (!isHostName(name) || isIP(name) !== 0) return [];
  return name.includes('.') ? [name] : [name, `${name}.local`];
}

/** The addresses of this machine, without link-local ones, which a URL cannot name. */
function addresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address))
    .map(({ address }) => address);
}
