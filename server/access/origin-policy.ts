import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

export interface OriginOptions {
  /** Host names and addresses by which the server is reached, without ports. */
  readonly names: readonly string[];
  /** Web origins whose pages may ask, besides the server's own. */
  readonly origins: readonly string[];
}

export type OriginRefusal = 'host_refused' | 'origin_refused';

/**
 * By which name a request came, and from whose page: what a browser says truthfully of itself. A name that is not the
 * server's is one that a stranger's DNS leads here (DNS rebinding), and an origin that is not is a stranger's page.
 */
export class OriginPolicy {
  readonly #names: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  constructor({ names, origins }: OriginOptions) {
    this.#names = new Set(names.map(bareName));
    this.#origins = new Set(origins);
  }

  /** Why a request is refused, or undefined. Who is no browser sends no origin. */
  refusalOf({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): OriginRefusal | undefined {
    const { host = '', origin } = headers;
    if (!this.#knows(bareName(host), socket.localAddress)) return 'host_refused';
    if (origin === undefined || this.lists(origin)) return undefined;
    const scheme = (socket as TLSSocket).encrypted === true ? 'https' : 'http';
    return origin === `${scheme}://${host.toLowerCase()}` ? undefined : 'origin_refused';
  }

  /** Whether it is one of the origins besides the server's own. */
  lists(origin: string): boolean {
    return this.#origins.has(origin);
  }

  /** The address at which the connection came is the server's, whatever the network has given it since the start. */
  #knows(name: string, localAddress: string | undefined): boolean {
    return this.#names.has(name) || (localAddress !== undefined && localAddress.replace(MAPPED, '') === name);
  }
}

const MAPPED = /^::ffff:/i;
const PORT = /:\d*$/;

/** As names compare: in lower case, without a port, the brackets of an IPv6 address and the dot of the root. */
function bareName(host: string): string {
  const name = host.toLowerCase();
  if (name.startsWith('[')) return name.slice(1).replace(PORT, '').replace(/\]$/, '');
  // More than one colon is an IPv6 address without a port.
  const portless = name.indexOf(':') === name.lastIndexOf(':') ? name.replace(PORT, '') : name;
  return portless.replace(/\.$/, '');
}
