/** What equal servers on one database know of each other. */

import type { Logger } from 'pino';
import type { DatabaseAddress } from '../database-address.js';
import { Connection } from '../storage/postgres/connection.js';
import type { PostgresStorage } from '../storage/postgres/postgres.js';
import { SharedBlocks } from './blocks.js';
import { Lease } from './lease.js';
import type { Cluster } from './no-cluster.js';
import { SharedSessions } from './sessions.js';

/** What this server knows of the others on a database, before it listens to them. It is one of them after `join`. */
export function makeCluster(
  storage: PostgresStorage,
  address: DatabaseAddress,
  log: Logger,
): Cluster & { readonly lease: Lease; join(): Promise<void> } {
  const onError = (error: Error) => log.warn({ err: error }, 'the other servers could not be reached');
  const connections = { lease: new Connection(address), sessions: new Connection(address) };
  const id = storage.server;
  const ends: (() => void)[] = [];
  const endAll = () => {
    for (const end of ends) end();
  };
  storage.listener.onLate(endAll);
  const sessions = new SharedSessions({
    connection: connections.sessions,
    listener: storage.listener,
    id,
    isLive: () => lease.isLive,
    onError,
  });
  const blocks = new SharedBlocks(connections.sessions, storage.listener, id, onError);
  const lease = new Lease({
    connection: connections.lease,
    id,
    onEnd() {
      log.error('this server has lost its lease: it ends every session');
      sessions.endAll();
      endAll();
    },
    onError,
  });
  storage.agreement.liveNodes = () => lease.liveNodes;
  return {
    id,
    lease,
    join: () => lease.begin(),
    leadership: lease,
    others: {
      liveNodes: () => lease.liveNodes,
      tellBlock: (source, ms) => blocks.tell(source, ms),
      onBlock: (hear) => blocks.onBlock(hear),
    },
    sessions,
    elsewhere: sessions,
    onEnd: (end) => ends.push(end),
    async close() {
      await lease.close();
      await Promise.all([connections.lease.close(), connections.sessions.close()]);
    },
  };
}
