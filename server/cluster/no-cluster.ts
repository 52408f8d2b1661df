/** What a server knows of others that share its storage, and the server that shares it with none. */

import { ALONE, type OtherServers } from '../access/other-servers.js';
import type { Elsewhere } from '../devices/presence.js';
import { alone, type Leadership } from '../leadership.js';
import type { Sessions } from './sessions.js';

export interface Cluster {
  /** The id of this server. A server that is alone has none. */
  readonly id: string | undefined;
  readonly leadership: Leadership;
  readonly others: OtherServers;
  /** Where devices connect to several servers. */
  readonly sessions: Sessions | undefined;
  readonly elsewhere: Elsewhere | undefined;
  /** Calls when this server must end what is open: the others count it as dead, or it has not heard of them in time. */
  onEnd(end: () => void): void;
  close(): Promise<void>;
}

/** A server that has its storage for itself. */
export const noCluster: Cluster = {
  id: undefined,
  leadership: alone,
  others: ALONE,
  sessions: undefined,
  elsewhere: undefined,
  onEnd: () => undefined,
  close: async () => undefined,
};
