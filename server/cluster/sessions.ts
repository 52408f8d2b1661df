import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Connection } from '../storage/postgres/connection.js';
import type { Listener } from '../storage/postgres/listener.js';
import { NOTIFY } from '../storage/postgres/statements.js';
import { StorageUnavailable } from '../storage/storage.js';
import { CLAIM, type ClaimRow, RELEASE, SESSION_CHANNEL, SESSIONS, type SessionRow } from './statements.js';

/** Times are in milliseconds. */
export const SESSION_LIMITS = {
  /** How long a device waits until its older session on another server has ended. */
  takeoverMs: 1000,
  /** How long a claim may take. */
  claimMs: 2000,
  /** How many sessions are claimed at a time. */
  claimsAtOnce: 256,
  /** The pause after sessions could not be released, before that is tried again. */
  againMs: 500,
};

/** A device that connects. */
export interface Claim {
  readonly deviceId: string;
  readonly clientId: string;
  /** It may have several sessions, with different client ids. */
  readonly isOneOfSeveral: boolean;
  /** Another server has taken the session over. It has ended when this returns. */
  readonly end: () => void;
}

/** A session that all servers know of. */
export interface Claimed {
  /** Milliseconds since 1970, the same at every server. */
  readonly connectedAt: number;
  /** Says that it has ended. */
  readonly release: () => void;
}

/** The sessions of devices with this server, which those with other servers must not outlive. */
export interface Sessions {
  /** Resolves when no older session goes on elsewhere. @throws StorageUnavailable */
  claim(claim: Claim): Promise<Claimed>;
}

interface Waiting {
  readonly session: string;
  readonly claim: Claim;
  readonly done: (claimed: Claimed) => void;
  readonly refuse: (error: Error) => void;
}

interface Remote {
  readonly deviceId: string;
  readonly node: string;
  readonly connectedAt: number;
}

type Watcher = (deviceId: string, connectedAt: number | undefined) => void;

interface Parts {
  readonly connection: Connection;
  readonly listener: Listener;
  /** The id of this server. */
  readonly id: string;
  /** Whether this server has its lease. Without it no device is admitted. */
  readonly isLive: () => boolean;
  readonly onError: (error: Error) => void;
  /** Only tests change them. */
  readonly limits?: Partial<typeof SESSION_LIMITS> | undefined;
}

/** The sessions of all servers on one database. Each is a row, which goes with its server. */
export class SharedSessions implements Sessions {
  readonly #parts: Parts;
  readonly #limits: typeof SESSION_LIMITS;
  readonly #own = new Map<string, Claim>();
  readonly #remote = new Map<string, Remote>();
  /** The remote sessions of each device. */
  readonly #ofDevice = new Map<string, Set<string>>();
  readonly #watchers = new Set<Watcher>();
  /** Sessions elsewhere that this server has taken, and that have not ended yet. */
  readonly #ends = new Map<string, { readonly ended: Promise<void>; readonly end: () => void }>();
  /** Sessions that have ended a moment ago. Their end may be heard before the answer to the claim that took them. */
  readonly #ended = new LRUCache<string, true>({ max: SESSION_LIMITS.claimsAtOnce * 4 });
  /** The ids that were heard of since each comparison began. Of these, what was heard is newer. */
  readonly #comparing = new Set<Set<string>>();
  #waiting: Waiting[] = [];
  #released: string[] = [];
  #isClaiming = false;
  #isReleasing = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#limits = { ...SESSION_LIMITS, ...parts.limits };
    parts.listener.on(SESSION_CHANNEL, (words) => this.#hear(words));
    parts.listener.afterGap(() => this.#compare());
  }

  /** When the device connected to another server, in milliseconds since 1970. Undefined when it is at none. */
  connectedAt(deviceId: string): number | undefined {
    const [first] = this.#ofDevice.get(deviceId) ?? [];
    return first === undefined ? undefined : this.#remote.get(first)?.connectedAt;
  }

  /** Calls with each device that comes to other servers, or has left them all. */
  watch(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  claim(claim: Claim): Promise<Claimed> {
    return new Promise((done, refuse) => {
      this.#waiting.push({ session: randomUUID(), claim, done, refuse });
      if (this.#isClaiming) return;
      this.#isClaiming = true;
      setImmediate(() => this.#claimAll());
    });
  }

  #release(session: string): void {
    if (this.#own.delete(session)) this.#giveBack(session);
  }

  #giveBack(session: string): void {
    this.#released.push(session);
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    setImmediate(() => this.#releaseAll());
  }

  /** The lease is over: the others may take every session. */
  endAll(): void {
    for (const [session, { end }] of [...this.#own]) {
      this.#own.delete(session);
      end();
    }
  }

  async #claimAll(): Promise<void> {
    while (this.#waiting.length > 0)
      await this.#claimGroup(this.#waiting.splice(0, this.#limits.claimsAtOnce));
    this.#isClaiming = false;
  }

  async #claimGroup(group: readonly Waiting[]): Promise<void> {
    const { connection, id, isLive } = this.#parts;
    try {
      if (!isLive()) throw new Error('this server has no lease');
      const claims = group.map(({ claim }) => claim);
      const values = [
        id,
        group.map(({ session }) => session),
        claims.map(({ deviceId }) => deviceId),
        claims.map(({ clientId }) => clientId),
        claims.map(({ isOneOfSeveral }) => isOneOfSeveral),
      ];
      for (const { session, claim } of group) this.#own.set(session, claim);
      const rows = await connection.run<ClaimRow>(CLAIM, values, performance.now() + this.#limits.claimMs);
      for (const { session, done } of group) {
        const ofSession = rows.filter((row) => row.session === session);
        const taken = ofSession.flatMap((row) => row.taken ?? []);
        const connectedAt = ofSession[0]?.connected_at ?? 0;
        // It was ended before it was claimed, with the lease before.
        if (!this.#own.has(session)) this.#giveBack(session);
        Promise.all(taken.map((other) => this.#endOf(other))).then(() =>
          done({ connectedAt, release: () => this.#release(session) }),
        );
      }
    } catch (error) {
      for (const { session, refuse } of group) {
        this.#release(session);
        refuse(new StorageUnavailable(error));
      }
    }
  }

  /** Resolves when a session that was taken has ended, its server is dead, or the time is over. */
  #endOf(session: string): Promise<void> {
    if (this.#ended.has(session)) return Promise.resolve();
    const waiting = this.#ends.get(session);
    if (waiting !== undefined) return waiting.ended;
    let end = () => {};
    const ended = new Promise<void>((done) => {
      end = done;
    });
    const limit = setTimeout(() => this.#left(session), this.#limits.takeoverMs);
    this.#ends.set(session, {
      ended,
      end: () => {
        clearTimeout(limit);
        this.#ends.delete(session);
        end();
      },
    });
    return ended;
  }

  async #releaseAll(): Promise<void> {
    const { connection, id, isLive, onError } = this.#parts;
    while (this.#released.length > 0) {
      const sessions = this.#released.splice(0);
      const until = performance.now() + this.#limits.claimMs;
      try {
        await connection.run(RELEASE, [sessions, id], until);
      } catch (error) {
        onError(error as Error);
        // Without the lease the rows go with it.
        if (!isLive()) continue;
        this.#released.push(...sessions);
        await delay(this.#limits.againMs);
      }
    }
    this.#isReleasing = false;
  }

  #hear([what, one = '', session = '', other = '', at = '']: readonly string[]): void {
    for (const news of this.#comparing) news.add(what === 'dead' || what === 'gone' ? one : session);
    switch (what) {
      case 'came':
        if (one !== this.#parts.id)
          this.#came(session, { deviceId: other, node: one, connectedAt: Number(at) });
        break;
      case 'left':
        this.#left(session);
        break;
      case 'taken':
        if (one === this.#parts.id) this.#taken(session);
        // To this server it is there until it has ended. To any other one the new session is.
        else if (other === this.#parts.id) this.#endOf(session);
        else this.#forget(session);
        break;
      case 'gone':
        this.#left(one);
        break;
      case 'dead':
        for (const [theirs, { node }] of [...this.#remote]) if (node === one) this.#left(theirs);
        break;
    }
  }

  #taken(session: string): void {
    const claim = this.#own.get(session);
    this.#own.delete(session);
    claim?.end();
    const { connection, onError } = this.#parts;
    const until = performance.now() + this.#limits.takeoverMs;
    connection.run(NOTIFY, [SESSION_CHANNEL, `gone ${session}`], until).catch(onError);
  }

  #came(session: string, remote: Remote): void {
    this.#remote.set(session, remote);
    const sessions = this.#ofDevice.get(remote.deviceId) ?? new Set();
    this.#ofDevice.set(remote.deviceId, sessions.add(session));
    if (sessions.size === 1) this.#tell(remote.deviceId);
  }

  #left(session: string): void {
    this.#ended.set(session, true);
    this.#ends.get(session)?.end();
    this.#forget(session);
  }

  #forget(session: string): void {
    const remote = this.#remote.get(session);
    if (remote === undefined) return;
    this.#remote.delete(session);
    const sessions = this.#ofDevice.get(remote.deviceId);
    sessions?.delete(session);
    if (sessions?.size !== 0) return;
    this.#ofDevice.delete(remote.deviceId);
    this.#tell(remote.deviceId);
  }

  #tell(deviceId: string): void {
    for (const watcher of this.#watchers) watcher(deviceId, this.connectedAt(deviceId));
  }

  /** Compares the sessions elsewhere with those that are known, because something may have been missed. */
  async #compare(): Promise<void> {
    const { connection, id } = this.#parts;
    const until = performance.now() + this.#limits.claimMs;
    const news = new Set<string>();
    this.#comparing.add(news);
    try {
      const rows = await connection.run<SessionRow>(SESSIONS, [id], until);
      const there = new Map(rows.map((row) => [row.session, row]));
      // One that was taken may not have ended yet.
      for (const session of [...this.#remote.keys()])
        if (!there.has(session) && !news.has(session) && !this.#ends.has(session)) this.#forget(session);
      for (const [session, { device_id, node_id, connected_at }] of there) {
        if (!this.#remote.has(session) && !news.has(session) && !news.has(node_id))
          this.#came(session, { deviceId: device_id, node: node_id, connectedAt: connected_at });
      }
    } finally {
      this.#comparing.delete(news);
    }
  }
}
