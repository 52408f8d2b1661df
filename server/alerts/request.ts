/** One HTTP request to a place that an owner or a phone has named. */

import { type LookupAddress, type LookupAllOptions, lookup as resolveName } from 'node:dns';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { plainAddress } from '../access/source.js';

/** The whole request may take so long, from the name's resolution to the answer's head, in milliseconds. */
const REQUEST_MS = 10_000;

interface Request {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** Whether the address may be one of this machine or of its own network. */
  readonly allowPrivate: boolean;
  /** The authority that the server's certificate must have, in PEM; the system's when absent. */
  readonly ca?: string | undefined;
  /** Instead of REQUEST_MS. */
  readonly limitMs?: number | undefined;
}

interface Response {
  readonly status: number;
  /** How long the server wants to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The begin of the body, where the status is an error; '' else. */
  readonly text: string;
}

/** So much of an error's body is read, in characters. */
const ERROR_LENGTH = 1024;

/** The address may not be asked. */
export class PrivateAddress extends Error {
  override name = 'PrivateAddress';
  constructor(host: string) {
    super(`${host} is an address of this machine or of its own network`);
  }
}

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6');
}

/** Whether an IP address is not one of the public internet. */
export function isPrivate(address: string): boolean {
  const plain = plainAddress(address);
  return PRIVATE.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/** The host of a URL, an IPv6 address without its brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A name that was public when it was saved may lead elsewhere now, so each address is judged when it is used. */
export const onlyPublic =
  (resolve: Resolve): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const found = addresses.filter(({ address }) => !isPrivate(address));
      const [first] = found;
      if (first === undefined) return callback(new PrivateAddress(hostname), '', 0);
      if (options.all === true) return callback(null, found);
      callback(null, first.address, first.family);
    });
  };

const publicLookup = onlyPublic(resolveName);

/**
 * Sends a request on a connection of its own, and resolves with the head of the answer. Redirects are not followed.
 * @throws PrivateAddress, and what the network throws, an AbortError after REQUEST_MS
 */
export function send({ url, method, headers, body, allowPrivate, ca, limitMs }: Request): Promise<Response> {
  return new Promise((resolve, reject) => {
    const host = hostOf(url);
    if (!allowPrivate && isIP(host) !== 0 && isPrivate(host)) return reject(new PrivateAddress(host));
    const options: RequestOptions = {
      method,
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
      agent: false,
      signal: AbortSignal.timeout(limitMs ?? REQUEST_MS),
      ...(!allowPrivate && { lookup: publicLookup }),
      ...(ca !== undefined && { ca }),
    };
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      const { statusCode: status = 0 } = response;
      const retryAfterMs = retryAfter(response.headers['retry-after']);
      let text = '';
      const end = (): void => {
        resolve({ status, retryAfterMs, text: text.slice(0, ERROR_LENGTH) });
        response.destroy();
      };
      if (status < 400) return end();
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length >= ERROR_LENGTH) end();
      });
      for (const event of ['end', 'error', 'close']) response.on(event, end);
    });
    request.end(body);
  });
}

/** Seconds, or a date [RFC 9110, 10.2.3]. */
function retryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
