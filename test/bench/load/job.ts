/** What the load program reads from its standard input and writes to its standard output. */

import type { Address } from '../../../server/config.js';
import type { CoreUse } from '../core.js';

/** A client's certificate and its key, in PEM. */
export interface Certificate {
  crt: string;
  key: string;
}

/** A device as far as a load knows it. */
export interface Credentials {
  id: string;
  password: string;
  certificate?: Certificate;
}

export interface LoadClient {
  clientId: string;
  username?: string;
  password?: string;
  /** Shown where the job speaks TLS. */
  certificate?: Certificate;
  /** Its server, where the clients have several. */
  address?: Address;
  /** Where its requests go. */
  request: string;
  /** Where their answers come: a topic with the length of no other that may come. */
  answer: string;
}

export interface LoadJob {
  /** The process under load, and the core that it has to itself. */
  pid: number;
  core?: number;
  host: string;
  port: number;
  byTls?: boolean;
  qos: 0 | 1;
  /** Not counted, before the time that is. */
  warmUpSeconds: number;
  seconds: number;
  payload: string;
  /** Three digits in the payload that are counted up, so that no two requests of a client in a row are the same. */
  counterAt: number;
  clients: LoadClient[];
}

export interface LoadResult {
  /** Counted requests. */
  requests: number;
  /** Those of the warm-up too. */
  total: number;
  /** Requests a second. */
  rate: number;
  /** Microseconds from request to answer. */
  p50: number;
  p99: number;
  longest: number;
  /** The share of its core that the load program needed; near 1, the load is the bottleneck. */
  busy: number;
  core: CoreUse;
}

/** The stores whose protocols the load program speaks; `pgbench` is the load of PostgreSQL. */
export type Store = 'redis' | 'jetstream' | 'etcd';

/** What the load program of the stores reads. */
export interface StoreJob
  extends Pick<
    LoadJob,
    'pid' | 'core' | 'host' | 'port' | 'warmUpSeconds' | 'seconds' | 'payload' | 'counterAt'
  > {
  store: Store;
  /** How many there are; each puts under a key of its own. */
  clients: number;
}

export type StoreResult = Pick<LoadResult, 'rate' | 'busy' | 'core'>;

/** What the program of the grouped statement reads. */
export interface GroupedJob {
  /** `postgres://…`; its first host takes the writes. */
  database: string;
  /** How many documents are written in turn. */
  documents: number;
  /** How many of them one statement writes. */
  group: number;
  /** Not counted, before the time that is. */
  warmUpSeconds: number;
  seconds: number;
  payload: string;
}

export interface GroupedResult {
  /** Counted puts. */
  puts: number;
  /** Puts a second. */
  rate: number;
  /** Microseconds from a statement to its answer. */
  p50: number;
  p99: number;
}

/** What the program of the event streams reads. */
export interface StreamsJob {
  host: string;
  port: number;
  token: string;
  /** Each has a stream, and a change a second. */
  ids: string[];
  seconds: number;
}

export interface StreamsResult {
  /** Milliseconds from the request of a put to its event. */
  delays: number[];
  /** How many changes were to be heard. */
  expected: number;
}

/** What the program of the siren reads. */
export interface SirenJob {
  http: Address;
  mqtt: Address;
  /** The owner's. */
  token: string;
  device: Credentials;
  /** The file of the panel's flash. */
  flash: string;
  seconds: number;
}

/** What the program of the idle devices reads. */
export interface IdleJob {
  host: string;
  port: number;
  byTls?: boolean;
  devices: Credentials[];
}

/** What the program of the returning devices reads in its first line. */
export interface ReturnJob {
  devices: Credentials[];
}

/** Of all devices, after one return. */
export interface Return {
  /** From the first connection that was begun to the last device that was served. */
  seconds: number;
  /** How many of them took up their last TLS session again. */
  resumed: number;
  /** How often one was cut off before it was served, and tried again. */
  cutOff: number;
  /** The share of its core that the load program needed. */
  busy: number;
}

/** What the program of the household reads. */
export interface HouseholdJob {
  http: Address;
  mqtt: Address;
  /** Its panel. */
  device: { id: string; password: string };
  /** The token of its app. */
  app: string;
  /** The token of its owner. */
  owner: string;
  /** How often each of them asks. */
  everyMs: number;
}

/** Of one of them, since the last reading. */
export interface MemberReading {
  /** Milliseconds from a request to its answer. */
  times: number[];
  /** Why a request was not granted. */
  refusals: string[];
}

export interface HouseholdReading {
  panel: MemberReading;
  app: MemberReading;
  owner: MemberReading;
  /** How long the program itself could not run at most, in milliseconds: no answer is timed better than that. */
  lateMs: number;
}
