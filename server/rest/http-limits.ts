/** What bounds an HTTP connection, whether a request comes of it or not. */

import { type Server, type ServerOptions, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { ConnectionLimit } from '../access/connection-limit.js';
import { countConnections } from '../access/count-connections.js';
import type { Audit } from '../audit.js';
import { answerOf, HeadersTooLarge, NotHttp, RequestTooSlow } from './errors.js';
import type { RestLimits } from './limits.js';
import { ANSWER_HEADERS, sendJson } from './send.js';
import { visitorOf } from './visitor.js';

export interface HttpLimits {
  readonly limits: RestLimits;
  /** Shared with whatever else listens. */
  readonly connections: ConnectionLimit;
  readonly audit: Audit;
  readonly log: Logger;
}

// How late a slow request may be found.
const CHECK_MS = 500;

/** For `createServer` of `node:http` and `node:https`. */
export const httpOptions = (limits: RestLimits): ServerOptions => ({
  maxHeaderSize: limits.headersBytes,
  headersTimeout: Math.min(limits.headersMs, limits.requestMs),
  requestTimeout: limits.requestMs,
  keepAliveTimeout: limits.keepAliveMs,
  connectionsCheckingInterval: CHECK_MS,
});

/** Bounds a server that was made with `httpOptions`; one of `node:https` alike. */
export function limitHttp(server: Server, { limits, connections, audit, log }: HttpLimits): void {
  server.timeout = limits.idleMs;
  // Node drops what is above that without a word: with one more, the gate sees that there are too many.
  server.maxHeadersCount = limits.headers + 1;

  countConnections(server, connections, (source) =>
    audit('connection_refused', { source, via: 'rest', reason: 'too many connections' }),
  );

  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const refusal = refusalOf(error.code ?? '', limits);
    if (refusal === undefined) return socket.destroy();
    const visitor = visitorOf({ socket });
    // Each piece that still comes of it is an error again.
    if (visitor.refused) return;
    visitor.refused = true;
    const { answer, reason } = answerOf(refusal);
    const { source } = visitor;
    if (answer.audit !== undefined) {
      const { event, ...told } = answer.audit;
      audit(event, { source, via: 'rest', reason: refusal.message, ...told });
    } else log.debug({ source, reason }, 'request refused');
    refuse(socket, answer.status, JSON.stringify(answer.body));
  });
}

/** What the client did wrong, or undefined where it is nothing that an answer would mend. */
function refusalOf(code: string, limits: RestLimits): Error | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new HeadersTooLarge(`the headers are longer than ${limits.headersBytes} bytes`);
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTooSlow();
  return code.startsWith('HPE_') ? new NotHttp() : undefined;
}

/** Answers what never became a request, or never a whole one, and closes; an answer that has begun is only cut off. */
function refuse(socket: Socket, status: number, json: string): void {
  const { answer } = visitorOf({ socket });
  if (answer === undefined || answer.writableFinished) {
    if (socket.writable) socket.write(rawAnswer(status, json));
    socket.destroySoon();
  } else if (answer.headersSent) socket.destroy();
  else sendJson(answer, status, json, { Connection: 'close' });
}

function rawAnswer(status: number, json: string): string {
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(json),
    ...ANSWER_HEADERS,
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${json}`;
}
