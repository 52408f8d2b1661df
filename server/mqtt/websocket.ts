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
import type { MqttLimits } from './endpoint.js';
import type { Mqtt } from './listener.js';
import { WebSocketStream } from './websocket-stream.js';

const PATH = '/mqtt';
const SUBPROTOCOL = 'mqtt';
/** The longest header of a packet: its first byte and its length field. */
const PACKET_HEADER_BYTES = 5;

/** Serves MQTT over WebSocket on a server that speaks HTTP (MQTT 3.1.1, 6). */
export function acceptWebSockets(
  server: Server,
  {
    mqtt,
    policy,
    proxies,
    audit,
    tls,
  }: {
    readonly mqtt: Pick<Mqtt, 'serve' | 'limits'>;
    readonly policy: Policy;
    readonly proxies: Proxies;
    readonly audit: Audit;
    /** That of an HTTPS server. */
    readonly tls?: Tls | undefined;
  },
): void {
  const handshakes = makeHandshakes(mqtt.limits, (request) => {
    const refusal = refusalOf(request, policy);
    if (refusal !== undefined) audit(refusal, { source: sourceOf(proxies.clientOf(request)), via: 'mqtt' });
    return refusal;
  });
  const firstMessageBytes = mqtt.limits.connectBytes + PACKET_HEADER_BYTES;
  server.on('upgrade', (request, socket, head) => {
    if (!asksForWebSocket(request) || hostsIn(request) !== 1)
      return serveWithoutUpgrade(server, request, socket, head);
    toOriginForm(request);
    handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      const address = `${proxies.clientOf(request)}:${request.socket.remotePort}`;
      const peer = { ...peerOf(request.socket, tls), address };
      mqtt.serve(new WebSocketStream(webSocket, socket, firstMessageBytes), peer);
    });
  });
}

type Policy = Pick<OriginPolicy, 'refusalOf'>;

function makeHandshakes(
  limits: MqttLimits,
  refusalFor: (request: IncomingMessage) => OriginRefusal | undefined,
): WebSocketServer {
  // The types of ws lack closeTimeout.
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.packetBytes + PACKET_HEADER_BYTES,
    maxFragments: limits.fragments,
    maxBufferedChunks: limits.messageChunks,
    closeTimeout: limits.connectMs,
    handleProtocols: () => SUBPROTOCOL,
    verifyClient: ({ req }: { req: IncomingMessage }, answer: Answer) => {
      const refusal = refusalFor(req);
      if (refusal === undefined) answerAllowed(req, answer);
      else answer(false, REFUSAL_STATUS[refusal], undefined, PLAIN);
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

/** The origins that a page of a website can have. The page came by HTTP or HTTPS, or it is in a sandbox. */
const WEB_PAGE = /^(?:https?:\/\/(?<host>.+)|null)$/i;

/**
 * Refuses as REST does, but allows origins that no website can send. Libraries for devices and frameworks for apps send
 * `file://` or `capacitor://localhost`, and some send the server's own host with the wrong scheme. Pages of other
 * websites are refused, because they could use up the connections and attempts to authenticate of the person who visits
 * them.
 */
function refusalOf(request: IncomingMessage, policy: Policy): OriginRefusal | undefined {
  const refusal = policy.refusalOf(request);
  if (refusal !== 'origin_refused') return refusal;
  const { origin = '', host = '' } = request.headers;
  const page = WEB_PAGE.exec(origin);
  const isOwn = page === null || page.groups?.host?.toLowerCase() === host.toLowerCase();
  return isOwn ? undefined : refusal;
}

function answerAllowed(request: IncomingMessage, answer: Answer): void {
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
 * Serves a request as if it had not asked for another protocol, as RFC 9110, 7.8 allows. Some clients offer HTTP/2 with
 * their first request. Node does not answer such a request when there is a listener for upgrades.
 * @param head the bytes after the request's headers
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
