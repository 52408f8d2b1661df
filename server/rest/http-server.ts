/** The HTTP servers that the REST interface listens with, and what bounds their connections. */

import { createServer, type RequestListener, type Server, type ServerOptions, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer, Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { ConnectionLimit } from '../access/connection-limit.js';
import { paceHandshakes } from '../access/handshakes.js';
import type { Shares } from '../access/shares.js';
import type { Audit } from '../audit.js';
import type { Tls } from '../tls/tls.js';
import { WORK } from '../work.js';
import { ANSWER_HEADERS, linesOf, sendJson } from './call.js';
import type { HttpConnections } from './connection.js';
import { answerOf, headersTooLarge, NOT_HTTP, REQUEST_TOO_SLOW } from './errors.js';
import type { RestLimits } from './limits.js';
import type { UnreadAnswers } from './unread.js';

/** What an HTTP server serves, and what bounds its connections. */
interface HttpService {
  readonly handler: RequestListener;
  readonly limits: RestLimits;
  /** For so long, browsers that came by TLS use TLS only; 0 sets no such time. */
  readonly hstsSeconds: number;
  readonly connections: HttpConnections;
  readonly unread: UnreadAnswers;
  /** Shared with MQTT. */
  readonly connectionLimit: ConnectionLimit;
  readonly shares: Shares;
  readonly audit: Audit;
  readonly log: Logger;
}

/** How late a slow request may be found. */
const CHECK_MS = 500;

/** Makes a server that does not listen yet. */
export function createHttpServer(service: HttpService, tls?: Tls): Server | HttpsServer {
  const { handler, limits, hstsSeconds, shares } = service;
  const options: ServerOptions = {
    maxHeaderSize: limits.headersBytes,
    headersTimeout: Math.min(limits.headersMs, limits.requestMs),
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: CHECK_MS,
    // Node's own refusal is no JSON.
    requireHostHeader: false,
  };
  if (tls === undefined) return bounded(createServer(options, handler), service);
  const server = createTlsServer({ ...options, ...tls.options }, withStrictTransport(handler, hstsSeconds));
  paceHandshakes(server, shares);
  tls.attend(server);
  return bounded(server, service);
}

/** What is called for a connection that is closed before a request of it is served. */
export const refusedBy =
  (audit: Audit) =>
  (source: string, reason: string): void =>
    audit('connection_refused', { source, via: 'rest', reason });

function bounded<S extends Server>(server: S, service: HttpService): S {
  const { limits, connections, unread, connectionLimit, audit, log } = service;
  server.timeout = limits.idleMs;
  // A client may close its sending side behind its request. Node's types do not know that it can be answered then.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Node drops further headers without a word. With one more, the request is refused.
  server.maxHeadersCount = limits.headers + 1;

  connectionLimit.watch(server, refusedBy(audit));

  server.on(server instanceof HttpsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    if (socket.destroyed) return;
    connections.of(socket);
    unread.watch(socket);
    socket.prependOnceListener('close', withoutStacks);
  });

  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const refusal = refusalOf(error.code ?? '', limits);
    if (refusal === undefined) return socket.destroy();
    const connection = connections.of(socket);
    if (!connection.refuseOnce()) return;
    connection.spend(WORK.httpRequest);
    const { answer, reason } = answerOf(refusal);
    const { source } = connection;
    if (answer.audit !== undefined) {
      const { event, ...told } = answer.audit;
      audit(event, { source, via: 'rest', reason: refusal.message, ...told });
    } else log.debug({ source, reason }, 'request refused');
    const json = JSON.stringify(answer.body);
    const under = connection.answer;
    // Answers what never became a whole request, and closes the connection. An answer that has begun is cut off.
    if (under === undefined || under.writableFinished) {
      if (socket.writable) socket.write(rawAnswer(answer.status, json));
      socket.destroySoon();
    } else if (under.headersSent) socket.destroy();
    else sendJson(under, answer.status, json, { Connection: 'close' });
  });
  return server;
}

/** Node makes an error for each waiting request of a connection that closes. Their stacks would take most of a second. */
function withoutStacks(): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  process.nextTick(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
}

/** The client's mistake, or undefined where an answer would not help. */
function refusalOf(code: string, limits: RestLimits): Error | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return headersTooLarge(`the headers are longer than ${limits.headersBytes} bytes`);
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return REQUEST_TOO_SLOW;
  return code.startsWith('HPE_') ? NOT_HTTP : undefined;
}

function rawAnswer(status: number, json: string): string {
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(json),
    ...ANSWER_HEADERS,
    Connection: 'close',
  };
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${linesOf(headers)}\r\n${json}`;
}

const LOCALHOST = /^localhost(:|$)/i;

/** Tells browsers to use TLS only from now on (HSTS, RFC 6797). @param seconds for how long; 0 says nothing */
export function withStrictTransport(handler: RequestListener, seconds: number): RequestListener {
  if (seconds === 0) return handler;
  const value = `max-age=${seconds}`;
  return (req, res) => {
    // Other programs on this machine share the name `localhost`, and may know no TLS.
    if (!LOCALHOST.test(req.headers.host ?? '')) res.setHeader('Strict-Transport-Security', value);
    handler(req, res);
  };
}
