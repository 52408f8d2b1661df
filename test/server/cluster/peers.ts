/** Servers on one database, as far as they know each other: without storage and clients. */

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Test } from 'uvu';
import { SharedBlocks } from '../../../server/cluster/blocks.js';
import { LEASE_LIMITS, Lease } from '../../../server/cluster/lease.js';
import { type SESSION_LIMITS, SharedSessions } from '../../../server/cluster/sessions.js';
import { parseAddress } from '../../../server/database-address.js';
import { EngineClock } from '../../../server/storage/postgres/clock.js';
import { Connection } from '../../../server/storage/postgres/connection.js';
import { Listener } from '../../../server/storage/postgres/listener.js';
import { prepareDatabase } from '../../../server/storage/postgres/schema.js';
import { ask } from '../../cluster/postgres.js';
import { until } from '../../until.js';
import { ownClock } from '../storage/postgres/database-clock.js';
import { type Context, withPostgres } from '../storage/postgres/open.js';
import { type BrokenNetwork, startProxy } from '../storage/postgres/proxy.js';

export interface Peer {
  readonly id: string;
  readonly lease: Lease;
  readonly sessions: SharedSessions;
  readonly blocks: SharedBlocks;
  readonly listener: Listener;
  /** What the parts could not do. */
  readonly errors: Error[];
  close(): Promise<void>;
}

interface PeerOptions {
  /** Its way to the database. */
  readonly proxy?: BrokenNetwork;
  readonly sessionLimits?: Partial<typeof SESSION_LIMITS>;
  /** Its lease is over. Its sessions have ended then. */
  readonly onEnd?: () => void;
}

export interface PeersContext extends Context {
  /** Starts a server. It ends after the test. */
  start(options?: PeerOptions): Promise<Peer>;
  /** A network to the database, which is closed after the test. */
  network(): Promise<BrokenNetwork>;
  /** What the database says on a channel from now on. */
  heard(channel: string): Promise<readonly string[]>;
  /** Moves the clocks of the leases and of the database to so many milliseconds after the begin of the test. */
  setTime(ms: number): Promise<void>;
}

/** What the clock of the database shows at the begin, in milliseconds since 1970. */
export const BEGIN = Date.UTC(2026, 0, 1);

/** Gives each test of the suite a database for servers, and clocks. Returns what adds a test to the suite. */
export function withPeers<T extends PeersContext>(tests: Test<T>): ReturnType<typeof withPostgres<T>> {
  const test = withPostgres(tests);
  const ends: (() => Promise<void>)[] = [];
  const endWith = <E extends { close(): Promise<void> }>(part: E): E => {
    ends.unshift(() => part.close());
    return part;
  };
  tests.before.each(async (context) => {
    const { database } = context;
    if (database === undefined) return;
    const setClock = await ownClock(database, BEGIN);
    await prepare(database);
    let now = 0;
    Object.assign(context, {
      start: async (options: PeerOptions = {}) => endWith(await startPeer(database, () => now, options)),
      network: async () => endWith(await startProxy(database)),
      async heard(channel: string) {
        const client = new pg.Client(database);
        await client.connect();
        ends.unshift(() => client.end());
        const heard: string[] = [];
        client.on('notification', ({ payload = '' }) => heard.push(payload));
        await client.query(`LISTEN ${channel}`);
        return heard;
      },
      async setTime(ms: number) {
        await setClock(BEGIN + ms);
        now = ms;
      },
    });
  });
  tests.after.each(async () => {
    for (const end of ends.splice(0)) await end();
  });
  return test;
}

/** Other programs may take the processor for long. */
const PATIENT = { connectMs: 20_000, answerMs: 20_000 };

/** Makes the tables. */
async function prepare(database: string): Promise<void> {
  const connection = new Connection(parseAddress(database), { limits: PATIENT, onOpen: prepareDatabase });
  await connection.connect(performance.now() + PATIENT.connectMs);
  await connection.close();
}

/** One that has its lease, renews it often, and hears the others. */
async function startPeer(
  database: string,
  now: () => number,
  { proxy, sessionLimits: limits, onEnd }: PeerOptions,
): Promise<Peer> {
  const address = parseAddress(proxy?.url ?? database);
  const id = randomUUID();
  const errors: Error[] = [];
  const onError = (error: Error) => errors.push(error);
  const connections = [0, 1].map(() => new Connection(address, { limits: PATIENT })) as [
    Connection,
    Connection,
  ];
  const [renewing, connection] = connections;
  const clock = new EngineClock();
  const listener = new Listener({ address, limits: PATIENT, server: id, clock, onError });
  const isLive = () => lease.isLive;
  const sessions = new SharedSessions({ connection, listener, id, isLive, onError, limits });
  const blocks = new SharedBlocks(connection, listener, id, onError);
  const lease = new Lease({
    connection: renewing,
    id,
    limits: { ...LEASE_LIMITS, everyMs: 50 },
    onEnd() {
      sessions.endAll();
      onEnd?.();
    },
    onError,
    now,
  });
  for (const each of connections) await each.connect(performance.now() + PATIENT.connectMs);
  await lease.begin();
  listener.begin();
  await until(() => listener.isCurrent);
  return {
    id,
    lease,
    sessions,
    blocks,
    listener,
    errors,
    async close() {
      await lease.close();
      await listener.close();
      for (const each of connections) await each.close();
    },
  };
}

/** Resolves when the peer has renewed its lease, at the time that the clock of the database shows. */
export const renewed = (database: string, { id }: Peer): Promise<void> =>
  until(async () => {
    const fresh = `SELECT count(*) FROM node WHERE id = '${id}' AND beat_at = clock_timestamp()`;
    return (await ask(database, fresh)) === '1';
  });
