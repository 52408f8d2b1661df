/**
 * A push service on the loopback, with a certificate of its own. It is as strict as the real ones: what is wrong with a
 * request is kept in `faults`, and answered as RFC 8030 and RFC 8292 say. What is right is decrypted for the phone.
 */

import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issue } from '../../../server/tls/issue.js';
import { until } from '../../until.js';
import { decrypted, newPhoneKeys, type PhoneKeys } from './push-decrypt.js';

const DAY_S = 86_400;
const MOST_BYTES = 4096;

/** What a phone's browser gives to the page that subscribes. */
export interface PhoneSubscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

export interface Pushed {
  readonly endpoint: string;
  readonly headers: IncomingHttpHeaders;
  /** The claims of the VAPID token. */
  readonly claims: { readonly aud: string; readonly exp: number; readonly sub: string };
  /** The token itself. */
  readonly token: string;
  readonly bytes: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a message holds is what the tests look at
  readonly message: any;
}

/** A status with headers; `hang` never answers. */
export type PushReply = { readonly status: number; readonly headers?: Record<string, string> } | 'hang';

export interface PushService {
  readonly origin: string;
  /** Its certificate, in PEM: its own authority. */
  readonly authority: string;
  /** Every request that was right, also one that got another answer than 201. */
  readonly pushed: Pushed[];
  /** What was wrong with requests. */
  readonly faults: string[];
  /** The replies to the next requests; later ones get 201. */
  readonly replies: PushReply[];
  /** A new phone. @param applicationServerKey the only sender that its subscription takes */
  subscribe(applicationServerKey: string): Promise<PhoneSubscription>;
  /** Resolves when so many requests were right. */
  count(requests: number): Promise<void>;
  close(): Promise<void>;
}

interface Phone {
  readonly keys: PhoneKeys;
  readonly applicationServerKey: string;
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** @param now the clock by which it judges the senders' tokens */
export async function startPushService(now = Date.now): Promise<PushService> {
  const pair = await issue({
    usage: 'server',
    commonName: 'push service',
    names: [{ type: 'ip', value: '127.0.0.1' }],
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + DAY_S * 1000),
    issuer: undefined,
  });
  const phones = new Map<string, Phone>();
  const pushed: Pushed[] = [];
  const faults: string[] = [];
  const replies: PushReply[] = [];
  let origin = '';

  const server = createServer({ cert: pair.certificate, key: pair.key }, async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Uint8Array.from(Buffer.concat(chunks));
    const phone = phones.get(req.url ?? '');
    if (phone === undefined) return void res.writeHead(404).end();
    try {
      if (req.method !== 'POST') throw new Error(`a ${req.method}`);
      const { token, claims } = judgeSender(req.headers, { origin, now: now() }, phone);
      judgeHeaders(req.headers, body.length);
      const message = JSON.parse(await decrypted(body, phone.keys));
      const endpoint = origin + req.url;
      pushed.push({ endpoint, headers: req.headers, claims, token, bytes: body.length, message });
    } catch (error) {
      faults.push((error as Error).message);
      return void res.writeHead(400).end();
    }
    const reply = replies.shift() ?? { status: 201 };
    if (reply !== 'hang') res.writeHead(reply.status, reply.headers).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    authority: pair.certificate,
    pushed,
    faults,
    replies,
    async subscribe(applicationServerKey) {
      const keys = await newPhoneKeys();
      const path = `/push/${phones.size + 1}`;
      phones.set(path, { keys, applicationServerKey });
      return {
        endpoint: origin + path,
        keys: { p256dh: base64url(keys.point), auth: base64url(keys.auth) },
      };
    },
    count: (requests) => until(() => pushed.length >= requests || faults.length > 0),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** VAPID [RFC 8292]: the key of the subscription, its signature, this origin, and at most a day. */
function judgeSender(
  { authorization = '' }: IncomingHttpHeaders,
  { origin, now }: { origin: string; now: number },
  { applicationServerKey }: Phone,
): Pick<Pushed, 'token' | 'claims'> {
  const [, token = '', k = ''] = /^vapid t=([\w-]+\.[\w-]+\.[\w-]+), k=([\w-]+)$/.exec(authorization) ?? [];
  if (k !== applicationServerKey) throw new Error(`not the key of the subscription: ${authorization}`);
  const [head = '', body = '', signature = ''] = token.split('.');
  const point = Buffer.from(k, 'base64url');
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: base64url(point.subarray(1, 33)),
    y: base64url(point.subarray(33)),
  };
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const };
  if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')))
    throw new Error('a wrong signature');
  const { alg } = JSON.parse(String(Buffer.from(head, 'base64url')));
  const claims = JSON.parse(String(Buffer.from(body, 'base64url')));
  const ahead = claims.exp - now / 1000;
  if (alg !== 'ES256' || claims.aud !== origin) throw new Error(`${alg} for ${claims.aud}`);
  if (!(ahead > 0 && ahead <= DAY_S)) throw new Error(`ends in ${ahead} s`);
  if (!/^(mailto:|https:)/.test(claims.sub)) throw new Error(`the contact ${claims.sub}`);
  return { token, claims };
}

/** RFC 8030: TTL is needed, and the topic has at most 32 characters of base64url. */
function judgeHeaders(headers: IncomingHttpHeaders, bytes: number): void {
  const { ttl = '', urgency = '', topic = '' } = headers as Record<string, string>;
  if (headers['content-encoding'] !== 'aes128gcm') throw new Error('not aes128gcm');
  if (bytes > MOST_BYTES) throw new Error(`${bytes} bytes`);
  if (!/^[1-9]\d{0,5}$/.test(ttl) || Number(ttl) > DAY_S) throw new Error(`TTL ${ttl}`);
  if (!['very-low', 'low', 'normal', 'high'].includes(urgency)) throw new Error(`Urgency ${urgency}`);
  // Apple decodes the topic, and refuses a length that base64url cannot have.
  if (!/^[\w-]{1,32}$/.test(topic) || topic.length % 4 === 1) throw new Error(`Topic ${topic}`);
}
