import type { IncomingMessage, Server } from 'node:http';
import { WebSocketServer } from 'ws';
import type { OriginPolicy, OriginRefusal } from '../access/origin-policy.js';
import { sourceOf } from '../access/source.js';
import type { Audit } from '../audit.js';
import type { Tls } from '../tls/tls.js';
import type { Mqtt } from './listener.js';
import { asksForWebSocket, serveWithoutUpgrade } from './other-upgrade.js';
import { peerOf } from './peer.js';
import { WebSocketStream } from './websocket-stream.js';

export interface WebSocketParts {
  readonly mqtt: Pick<Mqtt, 'open' | 'limits'>;
  readonly policy: Pick<OriginPolicy, 'refusalOf'>;
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
  const { mqtt, tls } = parts;
  const handshakes = makeHandshakes(parts);
  const firstMessageBytes = mqtt.limits.connectBytes + PACKET_HEADER_BYTES;
  server.on('upgrade', (request, socket, head) => {
    if (!asksForWebSocket(request)) return serveWithoutUpgrade(server, request, socket, head);
    handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      mqtt.open(new WebSocketStream(webSocket, socket, firstMessageBytes), peerOf(request.socket, tls));
    });
  });
}

function makeHandshakes({ mqtt: { limits }, policy, audit }: WebSocketParts): WebSocketServer {
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
      const stranger = policy.refusalOf(req);
      if (stranger === undefined) return answerOwn(req, answer);
      audit(stranger, { source: sourceOf(req.socket.remoteAddress ?? ''), via: 'mqtt' });
      answer(false, STRANGERS[stranger], undefined, PLAIN);
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

const STRANGERS: Readonly<Record<OriginRefusal, number>> = { host_refused: 421, origin_refused: 403 };

function answerOwn(request: IncomingMessage, answer: Answer): void {
  if (pathOf(request) !== PATH) answer(false, 404, `MQTT is at ${PATH}`, PLAIN);
  else if (subprotocolsOf(request).includes(SUBPROTOCOL)) answer(true);
  else answer(false, 400, `the subprotocol is ${SUBPROTOCOL} [MQTT-6.0.0-3]`, PLAIN);
}

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

const subprotocolsOf = ({ headers }: IncomingMessage): string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
