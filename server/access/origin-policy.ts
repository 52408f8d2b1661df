import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../names.js';

export type OriginRefusal = 'host_refused' | 'origin_refused';

/**
 * Decides whether a request came by a name of the server and from a page that may send it. A browser says both
 * truthfully. A request by another name came through the DNS of a stranger (DNS rebinding). Another origin is a
 * stranger's page.
 */
export class OriginPolicy {
  readonly #names: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /**
   * @param reached the host names and addresses of the server, without ports, and the web origins, besides the server's
   * own, whose pages may send requests
   */
  constructor({
    names,
    origins,
  }: { readonly names: readonly string[]; readonly origins: readonly string[] }) {
    this.#names = new Set(names.map(bareName));
    this.#origins = new Set(origins);
  }

  /** Why a request is refused, or undefined. */
  refusalOf(req: Pick<IncomingMessage, 'headers' | 'socket'>): OriginRefusal | undefined {
    if (!this.knowsHost(req)) return 'host_refused';
    return this.allowsOrigin(req) ? undefined : 'origin_refused';
  }

  /**
   * The address that the connection came to counts as a name too, because the network may change it after the start.
   */
  knowsHost({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): boolean {
    const name = bareName(headers.host ?? '');
    return this.#names.has(name) || socket.localAddress?.replace(MAPPED, '') === name;
  }

  /**
   * Clients other than browsers send no origin. The server's own origins are that of the Host header, and each name of
   * the server at the port of its scheme. Both schemes count, because a proxy in front of the server may speak TLS. The
   * loopback names do not count, because every program of this machine shares them.
   */
  allowsOrigin({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
    const { host = '', origin } = headers;
    if (origin === undefined || this.lists(origin)) return true;
    const [, named] = OWN_ORIGIN.exec(origin) ?? [];
    if (named === undefined) return false;
    const name = withoutBrackets(named);
    return named === host.toLowerCase() || (this.#names.has(name) && !isLoopback(name));
  }

  /** Whether it is one of the given origins. */
  lists(origin: string): boolean {
    return this.#origins.has(origin);
  }
}

/** How many Host lines a request has. Node shows only the first. */
export function hostsIn({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === HOST.length && name.toLowerCase() === HOST) hosts += 1;
  }
  return hosts;
}

const HOST = 'host';

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)(.*)$/i;

/** When the target names a host, as for a proxy, that host replaces the Host header [RFC 9112, 3.2.2]. */
export function toOriginForm(req: Pick<IncomingMessage, 'url' | 'headers'>): void {
  if (req.url?.startsWith('/') !== false) return;
  const [, host, path = ''] = ABSOLUTE_FORM.exec(req.url) ?? [];
  if (host === undefined) return;
  req.headers.host = host;
  req.url = path.startsWith('/') ? path : `/${path}`;
}

const OWN_ORIGIN = /^https?:\/\/([^/?#@\s]+)$/;
const MAPPED = /^::ffff:/i;
const PORT = /:\d*$/;

/** In lower case, without a port, without the brackets of an IPv6 address and without the final dot. */
function bareName(host: string): string {
  const name = host.toLowerCase();
  if (name.startsWith('[')) return withoutBrackets(name.replace(PORT, ''));
  // More than one colon is an IPv6 address without a port.
  const portless = name.indexOf(':') === name.lastIndexOf(':') ? name.replace(PORT, '') : name;
  return portless.replace(/\.$/, '');
}

const withoutBrackets = (name: string): string => name.replace(/^\[(.*)\]$/, '$1');
