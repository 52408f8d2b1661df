import { LRUCache } from 'lru-cache';
import { memo } from '../memo.js';

/** Work is in microseconds, as `work.ts` counts it. */
const SHARE_LIMITS = {
  /** The work of one share in one turn of the event loop. One request is done however much work it is. */
  turnWork: 1000,
  /** The work of one share in a second, on average, and at once after a quiet second. Servers that share clients divide it. */
  workPerSecond: 500_000,
  /** How many shares get a turn together. Those of owners are not counted. */
  sharesATurn: 8,
  /** How many connections of one share are read again in one turn. */
  membersATurn: 32,
};

export type ShareLimits = Readonly<typeof SHARE_LIMITS>;

/** How far work may run ahead of the average. */
const SECOND_MS = 1000;

/** How many shares are remembered. One that has connections is remembered by them. */
const SHARES = 10_000;

/** A connection. A share pauses it when it has used up its turn. */
export interface Member {
  /** Reads nothing more and begins no request. */
  pause(): void;
  /** Does what has waited, as long as the share is open, and reads again. */
  resume(): void;
}

/** The event loop, or a test's own. */
export interface Loop {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs in the next turn, after all sockets were read. */
  next(run: () => void): void;
  after(ms: number, run: () => void): void;
}

const EVENT_LOOP: Loop = {
  now: () => performance.now(),
  next: (run) => setImmediate(run),
  after: (ms, run) => setTimeout(run, ms).unref(),
};

/**
 * The shares of all clients: one for each device, each token, and each source of clients that have shown no credential.
 *
 * Work is done at once as long as a share has not used up its turn of the event loop. Then all its connections are paused,
 * and wait for the next turn. So a client that sends as fast as it can slows itself, and takes the whole core only while
 * nothing else asks for it. Over a longer time the generic cell rate algorithm of ITU-T I.371 bounds each share.
 */
export class Shares {
  /** The same share as long as the key is remembered. */
  readonly of: (key: string) => Share;
  /** The same for owners: a share that is not bounded over a longer time and never waits for another share's turn. */
  readonly reserved: (key: string) => Share;
  readonly #limits: ShareLimits;
  readonly #loop: Loop;
  readonly #countNodes: () => number;
  /** Shares with connections that wait, in the order in which they get their turns. */
  readonly #waiting = new Set<Share>();
  readonly #reservedWaiting = new Set<Share>();
  #turn = 0;
  #now = 0;
  #liveNodes = 1;
  #isScheduled = false;

  /** @param liveNodes how many servers share the clients now, this one included */
  constructor(limits: Partial<ShareLimits> = {}, loop = EVENT_LOOP, liveNodes = () => 1) {
    this.#limits = { ...SHARE_LIMITS, ...limits };
    this.#loop = loop;
    this.#countNodes = liveNodes;
    const share = (isReserved: boolean) => () => new Share(isReserved, this.#limits, this);
    this.of = memo<string, Share>(share(false), new LRUCache({ max: SHARES }));
    this.reserved = memo<string, Share>(share(true), new LRUCache({ max: SHARES }));
  }

  /** Milliseconds at the beginning of this turn. */
  get now(): number {
    return this.#now;
  }

  /** How many servers share the clients in this turn. */
  get liveNodes(): number {
    return this.#liveNodes;
  }

  /** The number of this turn of the event loop. */
  turn(): number {
    this.#schedule();
    return this.#turn;
  }

  /** The share gets a turn when it is its time. */
  enqueue(share: Share): void {
    (share.isReserved ? this.#reservedWaiting : this.#waiting).add(share);
    this.#schedule();
  }

  enqueueAfter(ms: number, share: Share): void {
    this.#loop.after(ms, () => this.enqueue(share));
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#now = this.#loop.now();
    this.#liveNodes = this.#countNodes();
    this.#loop.next(this.#begin);
  }

  readonly #begin = (): void => {
    this.#isScheduled = false;
    this.#turn += 1;
    serve(this.#reservedWaiting, this.#reservedWaiting.size);
    serve(this.#waiting, this.#limits.sharesATurn);
    if (this.#waiting.size > 0) this.#schedule();
  };
}

/** Gives a turn to the shares that wait longest. */
function serve(waiting: Set<Share>, count: number): void {
  let left = Math.min(count, waiting.size);
  for (const share of waiting) {
    if (left-- === 0) return;
    waiting.delete(share);
    share.takeTurn();
  }
}

/**
 * - `open`: its connections are read.
 * - `waiting`: it has used up its turn.
 * - `paced`: it has used up what it may do on average.
 */
type Phase = 'open' | 'waiting' | 'paced';

export class Share {
  readonly isReserved: boolean;
  readonly #limits: ShareLimits;
  readonly #shares: Shares;
  /** Milliseconds that a microsecond of work takes on average, on a server that is alone. */
  readonly #interval: number;
  readonly #reading = new Set<Member>();
  /**
   * Connections that have not been read yet. They come before those that have asked already, the newest one first: behind a
   * flood of connections from one address, another client of that address is still served.
   */
  readonly #fresh = new Set<Member>();
  /** In the order in which they are read again. */
  readonly #paused = new Set<Member>();
  #phase: Phase = 'open';
  /** When all work so far would be over if it had kept to the average. In milliseconds, as `Shares.now`. */
  #due = Number.NEGATIVE_INFINITY;
  /** Work that turns have not made up for yet, as it was in the turn `#turn`. */
  #debt = 0;
  #turn = 0;

  constructor(isReserved: boolean, limits: ShareLimits, shares: Shares) {
    this.isReserved = isReserved;
    this.#limits = limits;
    this.#shares = shares;
    this.#interval = SECOND_MS / limits.workPerSecond;
  }

  /** Whether another request may begin now. */
  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** Counts work that is done in this turn. It may pause all connections of the share. */
  spend(work: number): void {
    this.#settle(this.#shares.turn());
    this.#debt += work;
    const waitMs = this.#charge(work);
    if (this.isOpen && (waitMs > 0 || this.#debt >= this.#limits.turnWork)) this.#close();
  }

  /** The other connections wait for the next turn: what one of them has read is work of another share. */
  endTurn(): void {
    this.#settle(this.#shares.turn());
    if (this.isOpen) this.#close();
  }

  /** The connection belongs to this share from now on. */
  join(member: Member): void {
    if (this.isOpen) this.#reading.add(member);
    else {
      this.#fresh.add(member);
      member.pause();
    }
  }

  leave(member: Member): void {
    this.#reading.delete(member);
    this.#fresh.delete(member);
    this.#paused.delete(member);
  }

  /** Opens the share and resumes some of its connections, unless it must wait longer. */
  takeTurn(): void {
    this.#settle(this.#shares.turn());
    const waitMs = this.#charge(0);
    if (this.#debt >= this.#limits.turnWork) this.#shares.enqueue(this);
    else if (waitMs > 0) this.#pace(waitMs);
    else this.#resume();
  }

  /** @returns how long the average makes the share wait, in milliseconds */
  #charge(work: number): number {
    if (this.isReserved) return 0;
    const { now, liveNodes } = this.#shares;
    this.#due = Math.max(this.#due, now) + this.#interval * liveNodes * work;
    return Math.max(0, this.#due - now - SECOND_MS);
  }

  #settle(turn: number): void {
    if (turn === this.#turn) return;
    this.#debt = Math.max(0, this.#debt - (turn - this.#turn) * this.#limits.turnWork);
    this.#turn = turn;
  }

  #close(): void {
    this.#phase = 'waiting';
    for (const member of this.#reading) this.#pause(member);
    this.#reading.clear();
    this.#shares.enqueue(this);
  }

  #pause(member: Member): void {
    this.#paused.add(member);
    member.pause();
  }

  #pace(ms: number): void {
    this.#phase = 'paced';
    this.#shares.enqueueAfter(ms, this);
  }

  #resume(): void {
    this.#phase = 'open';
    let resumed = 0;
    for (const member of [...[...this.#fresh].reverse(), ...this.#paused]) {
      if (!this.isOpen || resumed === this.#limits.membersATurn) break;
      // It may have left when another one was resumed.
      if (!this.#fresh.delete(member) && !this.#paused.delete(member)) continue;
      this.#reading.add(member);
      member.resume();
      resumed += 1;
    }
    if (this.isOpen && this.#fresh.size + this.#paused.size > 0) this.#shares.enqueue(this);
  }
}
