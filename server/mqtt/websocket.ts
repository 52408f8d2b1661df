import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { hostsIn, type OriginPolicy, type OriginRefusal, toOriginForm } from '../access/origin-policy.js';
import type { Proxies } from '../access/proxies.js';
import { sourceOf } from '../access/source.js';
import type { Audit } from '../audit.js';
import type { Tls } from '../tls/tls.js';
import { peerOf } from './admission.js';
import type { Mqtt } from './listener.js';
import { WebSocketStream } from './websocket-stream.js';

export interface WebSocketParts {
  readonly mqtt: Pick<Mqtt, 'open' | 'limits'>;
  readonly policy: Pick<OriginPolicy, 'refusalOf'>;
  readonly proxies: Proxies;
  readonly audit: Audit;
  /** Of an HTTPS server. */
  readonly tls?: Tls | undefined;
}

const PATH = '/mqtt';
const SUBPROTOCOL = 'mqtt';
/** The first byte of a packet and its length field. */
const PACKET_HEADER_BYTES = 5;

/** Serves MQTT over WebSocket on a server that speaks HTTP (MQTT 3.1.1, 6). */
export function acceptWebSockets(server: Server, parts: WebSocketParts): void {
  const { mqtt, proxies, tls } = parts;
  const handshakes = makeHandshakes(parts);
  const firstMessageBytes = mqtt.limits.connectBytes + PACKET_HEADER_BYTES;
  server.on('upgrade', (request, socket, head) => {
    if (!asksForWebSocket(request) || hostsIn(request) !== 1)
      return serveWithoutUpgrade(server, request, socket, head);
    toOriginForm(request);
    handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      const address = `${proxies.clientOf(request)}:${request.socket.remotePort}`;
      const peer = { ...peerOf(request.socket, tls), address };
      mqtt.open(new WebSocketStream(webSocket, socket, firstMessageBytes), peer);
    });
  });
}

function makeHandshakes({ mqtt: { limits }, policy, proxies, audit }: WebSocketParts): WebSocketServer {
  // Its types do not know closeTimeout yet.
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.packetBytes + PACKET_HEADER_BYTES,
    maxFragments: limits.messageParts,
    maxBufferedChunks: limits.messageParts,
    closeTimeout: limits.connectMs,
    handleProtocols: () => SUBPROTOCOL,
    verifyClient: ({ req }: { req: IncomingMessage }, answer: Answer) => {
      const refusal = refusalOf(req, policy);
      if (refusal === undefined) return answerAdmitted(req, answer);
      audit(refusal, { source: sourceOf(proxies.clientOf(req)), via: 'mqtt' });
      answer(false, REFUSAL_STATUS[refusal], undefined, PLAIN);
    },
  };
  return new WebSocketServer(options);
}

type Answer = (
  welcome: boolean,
  status?: number,
  reason?: string,
  headers?: Readonly<Record<string, string>>,
) => void;

const PLAIN = { 'Content-Type': 'text/plain', 'X-Content-Type-Options': 'nosniff' };

const REFUSAL_STATUS: Readonly<Record<OriginRefusal, number>> = { host_refused: 421, origin_refused: 403 };

/** The origins that a page of a website can have: its scheme is HTTP or HTTPS, or it is in a sandbox. */
const WEB_PAGE = /^(?:https?:\/\/(?<host>.+)|null)$/i;

/**
 * As REST refuses, except for origins that no website can send: libraries for devices and frameworks for apps send
 * `file://` or `capacitor://localhost`, and some send the server's own host with the wrong scheme. Pages of other websites
 * stay outside, for they could use up their visitor's connections and attempts to authenticate.
 */
function refusalOf(request: IncomingMessage, policy: WebSocketParts['policy']): OriginRefusal | undefined {
  const refusal = policy.refusalOf(request);
  if (refusal !== 'origin_refused') return refusal;
  const { origin = '', host = '' } = request.headers;
  const page = WEB_PAGE.exec(origin);
  const isOwn = page === null || page.groups?.host?.toLowerCase() === host.toLowerCase();
  return isOwn ? undefined : refusal;
}

function answerAdmitted(request: IncomingMessage, answer: Answer): void {
  if (pathOf(request) !== PATH) answer(false, 404, `MQTT is at ${PATH}`, PLAIN);
  else if (subprotocolsOf(request).includes(SUBPROTOCOL)) answer(true);
  else answer(false, 400, `the subprotocol is ${SUBPROTOCOL} [MQTT-6.0.0-3]`, PLAIN);
}

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

const subprotocolsOf = ({ headers }: IncomingMessage): string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());

const asksForWebSocket = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket';

const HOP_BY_HOP = ['upgrade', 'connection', 'http2-settings'];

/**
 * Serves a request as if it had not asked for another protocol, which a server is free to do (RFC 9110, 7.8): some clients
 * offer HTTP/2 with their first request. Node itself does not answer such a request once there is a listener for upgrades.
 * @param head what came behind the request's headers
 */
function serveWithoutUpgrade(
  server: Server,
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!HOP_BY_HOP.includes(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket);
}
