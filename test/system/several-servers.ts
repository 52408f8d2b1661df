/** Several real servers that share a PostgreSQL, and clients of them. */

import { randomUUID } from 'node:crypto';
import { createParser } from 'eventsource-parser';
import { type Postgres, startPostgres } from '../cluster/postgres.js';
import { type Server, startServer } from './server.js';

export interface SeveralServers {
  readonly postgres: Postgres;
  readonly servers: Server[];
  readonly token: string;
  stop(): Promise<void>;
}

/**
 * Starts them one after the other, all with the same owner token.
 * @param wayTo gives the address at which the next server finds the database, as through a proxy
 */
export async function startServers(
  count: number,
  wayTo: (database: string) => string | Promise<string> = (database) => database,
): Promise<SeveralServers> {
  const postgres = await startPostgres();
  const token = randomUUID();
  const servers: Server[] = [];
  for (let number = 0; number < count; number++)
    servers.push(await startServer({ token, env: { TWIN_DATABASE: await wayTo(postgres.url) } }));
  return {
    postgres,
    servers,
    token,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      await postgres.stop();
    },
  };
}

export async function newToken(server: Server, role = 'app'): Promise<{ id: string; secret: string }> {
  const answer = await server.api('/tokens', { method: 'POST', body: JSON.stringify({ role }) });
  const { token, secret } = (await answer.json()) as { token: { id: string }; secret: string };
  return { id: token.id, secret };
}

/**
 * The status of a request that needs no more than the token. A server blocks those who ask with a few wrong ones, so a test
 * cannot try many.
 */
export const statusWith = async (server: Server, secret: string): Promise<number> =>
  (await fetch(`${server.iotApi}/tokens/self`, { headers: { 'X-Auth-Token': secret } })).status;

export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

export interface EventStream {
  readonly events: StreamEvent[];
  /** Resolves with the time of its end, by `performance.now()`. */
  readonly ended: Promise<number>;
  /** The first event, past or future, that passes. Rejects when the stream ends before. */
  heard(passes: (event: StreamEvent) => boolean): Promise<StreamEvent>;
  close(): void;
}

/** Opens a stream of the events of a twin. */
export async function openStream(
  server: Pick<Server, 'iotApi'>,
  id: string,
  token: string,
  lastEventId = '',
): Promise<EventStream> {
  const abort = new AbortController();
  const headers = { 'X-Auth-Token': token, ...(lastEventId !== '' && { 'Last-Event-ID': lastEventId }) };
  const answer = await fetch(`${server.iotApi}/twins/${id}/events`, { headers, signal: abort.signal });
  if (!answer.ok || answer.body === null) throw new Error(`no stream: ${answer.status}`);
  const events: StreamEvent[] = [];
  const listeners = new Set<() => void>();
  let isOver = false;
  const parser = createParser({
    onEvent: ({ event = '', id = '', data }) => events.push({ event, id, data: JSON.parse(data) }),
  });
  const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    const text = new TextDecoder();
    for await (const chunk of body) {
      parser.feed(text.decode(chunk, { stream: true }));
      for (const listener of listeners) listener();
    }
  };
  const ended = read(answer.body)
    .catch(() => undefined)
    .then(() => {
      isOver = true;
      for (const listener of listeners) listener();
      return performance.now();
    });
  return {
    events,
    ended,
    heard: (passes) =>
      new Promise((done, failed) => {
        const look = (): void => {
          const found = events.find(passes);
          if (found === undefined && !isOver) return;
          listeners.delete(look);
          if (found === undefined) failed(new Error('the stream has ended'));
          else done(found);
        };
        listeners.add(look);
        look();
      }),
    close: () => abort.abort(),
  };
}
