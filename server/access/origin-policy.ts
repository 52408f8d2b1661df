import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../names.js';

export interface OriginOptions {
  /** Host names and addresses by which the server is reached, without ports. */
  readonly names: readonly string[];
  /** Web origins whose pages may ask, besides the server's own. */
  readonly origins: readonly string[];
}

export type OriginRefusal = 'host_refused' | 'origin_refused';

/**
 * Whether a request came by a name of the server, and from a page that may ask: a browser tells both truthfully. By another
 * name the DNS of a stranger leads here (DNS rebinding); another origin is a page of a stranger.
 */
export class OriginPolicy {
  readonly #names: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  constructor({ names, origins }: OriginOptions) {
    this.#names = new Set(names.map(bareName));
    this.#origins = new Set(origins);
  }

  /** Why a request is refused, or undefined. */
  refusalOf(req: Pick<IncomingMessage, 'headers' | 'socket'>): OriginRefusal | undefined {
    if (!this.knowsHost(req)) return 'host_refused';
    return this.allowsOrigin(req) ? undefined : 'origin_refused';
  }

  /** The address that the connection came to is the server's too, whatever the network has given it since the start. */
  knowsHost({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): boolean {
    const name = bareName(headers.host ?? '');
    return this.#names.has(name) || socket.localAddress?.replace(MAPPED, '') === name;
  }

  /**
   * A client that is no browser sends no origin. One is the server's own by either scheme, for a proxy in front may speak
   * TLS: that of the Host header, and each name of the server at the port of its scheme, but
   * for those that every program of this machine shares.
   */
  allowsOrigin({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
    const { host = '', origin } = headers;
    if (origin === undefined || this.lists(origin)) return true;
    const [, named] = OWN_ORIGIN.exec(origin) ?? [];
    if (named === undefined) return false;
    const name = withoutBrackets(named);
    return named === host.toLowerCase() || (this.#names.has(name) && !isLoopback(name));
  }

  /** Whether it is one of the origins besides the server's own. */
  lists(origin: string): boolean {
    return this.#origins.has(origin);
  }
}

/** How many Host lines a request has: Node tells the first of them only. */
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

/** A target with a host, as for a proxy; that host counts, whatever the Host header says [RFC 9112, 3.2.2]. */
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

/** As names compare: in lower case, without a port, the brackets of an IPv6 address and the dot of the root. */
function bareName(host: string): string {
  const name = host.toLowerCase();
  if (name.startsWith('[')) return withoutBrackets(name.replace(PORT, ''));
  // More than one colon is an IPv6 address without a port.
  const portless = name.indexOf(':') === name.lastIndexOf(':') ? name.replace(PORT, '') : name;
  return portless.replace(/\.$/, '');
}

const withoutBrackets = (name: string): string => name.replace(/^\[(.*)\]$/, '$1');
