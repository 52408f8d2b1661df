import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Network } from '../setting.js';
import { plainAddress } from './source.js';

/** The reverse proxies and balancers that are believed when they say who their client is. */
export class Proxies {
  readonly #list = new BlockList();
  readonly isEmpty: boolean;

  constructor(networks: readonly Network[]) {
    this.isEmpty = networks.length === 0;
    for (const { address, prefix } of networks) this.#list.addSubnet(address, prefix, familyOf(address));
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    return !this.isEmpty && isIP(plain) !== 0 && this.#list.check(plain, familyOf(plain));
  }

  /**
   * The address that a request comes from. Each proxy appends the address of its own client to `X-Forwarded-For`, so it
   * is the rightmost address that is not a proxy's. The client may have invented the addresses before it.
   */
  clientOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    let address = socket.remoteAddress ?? '';
    const hops = String(headers['x-forwarded-for'] ?? '').split(',');
    while (this.has(address)) {
      const hop = hops.pop()?.trim() ?? '';
      if (isIP(hop) === 0) return address;
      address = hop;
    }
    return address;
  }
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
