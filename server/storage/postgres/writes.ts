import { randomUUID } from 'node:crypto';
import { DatabaseError } from 'pg';
import { OutcomeUnknown, OwnerGone, StorageUnavailable, throwLater } from '../storage.js';
import { AnswerLost, CONNECTION_LIMITS, type Connection } from './connection.js';
import type { Files } from './files.js';
import { type Call, type FileRules, type Plan, partsOf, plan, type Version, valuesOf } from './group.js';
import { WRITE, type WriteRow } from './statements.js';

/** How many calls one statement carries out. */
const CALLS_OF_A_GROUP = 512;

/** A call that has less time left, in milliseconds, waits for the database no longer. */
const RETRY_MS = CONNECTION_LIMITS.retryMs;

/** How often a call is decided again because another server was faster. */
const ATTEMPTS = 8;

/**
 * When another server was faster twice, the calls on the file wait for a random time. Its bound, in milliseconds, is twice as
 * long after each attempt.
 */
const PAUSE_MS = { first: 4, longest: 256 };

interface Parts {
  readonly connection: Connection;
  readonly files: Files;
  readonly rules: FileRules;
  /** Reads a file from the database. @throws StorageUnavailable */
  readonly load: (name: string, until: number) => Promise<Version>;
  /** Whether all is heard that other servers have changed. Until then nothing is decided. */
  readonly isCurrent: () => boolean;
  /** Resolves when it is. @throws StorageUnavailable */
  readonly whenCurrent: (until: number) => Promise<void>;
  /** The time for a change upon this version, RFC 3339. */
  readonly timeFor: (version: Version) => string;
  /** The name by which this server knows its own notifications. */
  readonly server: string;
  /** New versions of a file's documents were written. */
  readonly onWritten: (name: string, versions: Plan['puts']) => void;
  /** The file may have been written, and those who made the change do not know. */
  readonly onDoubt: (name: string) => void;
  /** No change of this file is on its way any more. What was heard of it meanwhile may be looked at now. */
  readonly onIdle: (name: string) => void;
  /** The database takes no changes, or takes them again. */
  readonly onHealth: (error: Error | undefined) => void;
}

/** What became of a group that was sent. `refused` says that one of its values is to blame. */
type Outcome =
  | { readonly kind: 'answered'; readonly rows: ReadonlyMap<string, WriteRow>; readonly isAgain: boolean }
  | { readonly kind: 'unavailable' | 'unknown' | 'refused'; readonly cause: Error };

/**
 * Carries changes out in groups, one group after the other. The changes of a file in a group are decided one after the
 * other upon what is known of it, and count only if the database has the same. If it has not, they are decided again.
 */
export class Writes {
  readonly #parts: Parts;
  #waiting: Call[] = [];
  /** How many calls on each file are not answered. */
  readonly #pending = new Map<string, number>();
  /** The files of the group that is on its way. */
  readonly #sent = new Set<string>();
  /** The files that are not as they are known here. */
  readonly #stale = new Set<string>();
  /** The calls on files that other servers write at the same time. They go on after a pause, in their order. */
  readonly #pausing = new Map<string, Call[]>();
  #isBusy = false;
  #fault: Error | undefined;
  #emptied: (() => void)[] = [];
  /** Statements that were carried out, and changes that they covered. */
  readonly counters = { groups: 0, changes: 0, conflicts: 0 };

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether the last group was carried out. */
  get healthy(): boolean {
    return this.#fault === undefined;
  }

  /** Whether a call on the file is not answered. */
  isPending(name: string): boolean {
    return this.#pending.has(name);
  }

  /** Whether a change of the file is on its way. */
  isSent(name: string): boolean {
    return this.#sent.has(name);
  }

  add(call: Call): void {
    this.#pending.set(call.file, (this.#pending.get(call.file) ?? 0) + 1);
    (this.#pausing.get(call.file) ?? this.#waiting).push(call);
    this.#begin();
  }

  /** Resolves when nothing is under way. */
  async drain(): Promise<void> {
    if (this.#isBusy || this.#pausing.size > 0) await new Promise<void>((done) => this.#emptied.push(done));
  }

  #begin(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    // All calls of this turn become one group.
    setImmediate(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (await this.#mayDecide()) await this.#carryOut(this.#waiting.splice(0, CALLS_OF_A_GROUP));
    }
    this.#isBusy = false;
    if (this.#pausing.size > 0) return;
    for (const done of this.#emptied.splice(0)) done();
  }

  /** Waits for the database, and for what other servers have changed. Each call is refused when its own time is over. */
  async #mayDecide(): Promise<boolean> {
    const { connection, isCurrent, whenCurrent } = this.#parts;
    const until = Math.min(...this.#waiting.map((call) => call.until));
    try {
      await connection.connect(until);
      if (!isCurrent()) await whenCurrent(until);
      return true;
    } catch (error) {
      this.#hear(error as Error);
      const now = performance.now();
      const isOver = ({ until }: Call) => until - RETRY_MS <= now;
      const over = this.#waiting.filter(isOver);
      this.#waiting = this.#waiting.filter((call) => !isOver(call));
      for (const call of over) this.#answer(call, () => call.refuse(new StorageUnavailable(error)));
      return false;
    }
  }

  /** The database has taken a group, or not. */
  #hear(error: Error | undefined): void {
    const isNews = (error === undefined) !== (this.#fault === undefined);
    this.#fault = error;
    if (isNews) this.#parts.onHealth(error);
  }

  async #carryOut(calls: readonly Call[]): Promise<void> {
    const found = (await Promise.all([...byFile(calls)].map((each) => this.#find(...each)))).flat();
    if (!this.#parts.isCurrent()) {
      this.#waiting.unshift(...found.flatMap((each) => each.calls));
      return;
    }
    const plans = found.map(({ name, base, calls }) => plan(name, base, calls, this.#parts.timeFor(base)));
    for (const { name } of plans) this.#sent.add(name);
    const again: Call[] = [];
    for (const part of partsOf(plans)) again.push(...(await this.#deliver(part)));
    this.#sent.clear();
    for (const { name } of plans) this.#parts.onIdle(name);
    this.#waiting.unshift(...again, ...plans.flatMap(({ rest }) => rest));
    const contended = again.filter(({ attempts }) => attempts > 1);
    for (const name of new Set(contended.map(({ file }) => file))) this.#pause(name);
  }

  /** Servers that write a file at the same time would meet again and again if each tried at once. */
  #pause(name: string): void {
    const calls = this.#waiting.filter(({ file }) => file === name);
    this.#waiting = this.#waiting.filter(({ file }) => file !== name);
    this.#pausing.set(name, calls);
    const attempts = Math.max(...calls.map((call) => call.attempts));
    const most = Math.min(PAUSE_MS.first * 2 ** (attempts - 2), PAUSE_MS.longest);
    setTimeout(() => {
      this.#pausing.delete(name);
      this.#waiting.unshift(...calls);
      this.#begin();
    }, Math.random() * most);
  }

  /** Sends a group and answers its calls. Returns those that must be decided again. */
  async #deliver(plans: readonly Plan[]): Promise<Call[]> {
    const until = Math.min(...plans.flatMap((each) => each.calls.map((call) => call.until)));
    const outcome = await this.#send(plans, until);
    if (outcome.kind === 'refused' && plans.length > 1) {
      // The halves, and their halves, until the file that is to blame is alone.
      const half = plans.length >> 1;
      return [...(await this.#deliver(plans.slice(0, half))), ...(await this.#deliver(plans.slice(half)))];
    }
    if (outcome.kind !== 'refused') this.#hear(outcome.kind === 'answered' ? undefined : outcome.cause);
    const again: Call[] = [];
    for (const each of plans) {
      if (outcome.kind !== 'answered') this.#fail(each, outcome);
      else again.push(...this.#settle(each, outcome.rows.get(each.name), outcome.isAgain));
    }
    return again;
  }

  /** What the calls of a file are decided upon. Returns nothing when the file cannot be read. */
  async #find(name: string, calls: readonly Call[]): Promise<Pick<Plan, 'name' | 'base' | 'calls'>[]> {
    const { files, load } = this.#parts;
    let base = this.#stale.has(name) ? undefined : files.get(name);
    if (base === undefined) {
      try {
        base = await load(name, Math.min(...calls.map(({ until }) => until)));
      } catch (error) {
        for (const call of calls) this.#answer(call, () => call.refuse(error as Error));
        this.#hear(error as Error);
        return [];
      }
      this.#stale.delete(name);
      files.found(name, base, false);
    }
    return [{ name, base, calls }];
  }

  /** Sends a group until there is an answer, or its time is over. It is carried out once, however often it is sent. */
  async #send(plans: readonly Plan[], until: number): Promise<Outcome> {
    const { connection, rules, server } = this.#parts;
    const id = randomUUID();
    for (let isAgain = false; ; ) {
      try {
        const values = valuesOf(plans, rules, { id, server, isAgain });
        const rows = await connection.run<WriteRow>(WRITE, values, until);
        this.counters.groups += 1;
        return { kind: 'answered', rows: new Map(rows.map((row) => [row.name, row])), isAgain };
      } catch (error) {
        if (error instanceof AnswerLost) isAgain = true;
        if (performance.now() >= until || !mayPass(error)) {
          const kind = isAgain ? 'unknown' : isOfValues(error) ? 'refused' : 'unavailable';
          return { kind, cause: error as Error };
        }
      }
    }
  }

  /**
   * Answers the calls of a file. Returns those that must be decided again.
   * @param isAgain the group was sent before, and that answer is lost
   */
  #settle(plan: Plan, row: WriteRow | undefined, isAgain: boolean): Call[] {
    const { name, base, documents, calls, answers, puts, edits } = plan;
    const { files, onWritten } = this.#parts;
    const found = Number(row?.found ?? 0);
    const written = row?.written ?? (row?.is_ours === true ? row.found : null);
    if (edits > 0 && written !== null) {
      files.wrote(name, { rev: Number(written), documents });
      this.counters.changes += edits;
      onWritten(name, puts);
    } else if (row?.is_orphan === true) {
      const owner = this.#parts.rules.parentOf(name);
      for (const call of calls) this.#answer(call, () => call.refuse(new OwnerGone(owner?.key ?? name)));
      return [];
    } else if (edits > 0 && isAgain) {
      // Others may have written over what was made the first time. To decide again could make it twice.
      this.#fail(plan, { kind: 'unknown', cause: new Error('others changed the file meanwhile') });
      return [];
    } else if (edits > 0 || found !== base.rev) {
      return this.#again(name, calls);
    }
    for (const [index, call] of calls.entries()) this.#answer(call, answers[index] as () => void);
    return [];
  }

  #again(name: string, calls: readonly Call[]): Call[] {
    this.counters.conflicts += 1;
    this.#stale.add(name);
    const now = performance.now();
    const again: Call[] = [];
    for (const call of calls) {
      call.attempts += 1;
      if (call.attempts <= ATTEMPTS && call.until > now) again.push(call);
      else
        this.#answer(call, () => call.refuse(new StorageUnavailable('others change the file all the time')));
    }
    return again;
  }

  #fail({ name, calls, edits }: Plan, { kind, cause }: { kind: string; cause: unknown }): void {
    this.#parts.files.forget(name);
    this.#stale.add(name);
    const isUnknown = kind === 'unknown' && edits > 0;
    const error = isUnknown ? new OutcomeUnknown(cause) : new StorageUnavailable(cause);
    for (const call of calls) this.#answer(call, () => call.refuse(error));
    if (isUnknown) this.#parts.onDoubt(name);
  }

  /** When a callback throws, the callbacks after it are called all the same. */
  #answer({ file }: Call, answer: () => void): void {
    const left = (this.#pending.get(file) ?? 0) - 1;
    if (left > 0) this.#pending.set(file, left);
    else this.#pending.delete(file);
    try {
      answer();
    } catch (thrown) {
      throwLater(thrown);
    }
  }
}

/** SQLSTATE: serialization failure, deadlock, lock not available. */
const PASSING = ['40001', '40P01', '55P03'];

/** SQLSTATE classes: data exception, integrity constraint violation, program limit exceeded. */
const OF_VALUES = /^(22|23|54)/;

const isOfValues = (error: unknown): boolean =>
  error instanceof DatabaseError && OF_VALUES.test(error.code ?? '');

/** Whether the same group may succeed when it is sent again. */
const mayPass = (error: unknown): boolean =>
  error instanceof AnswerLost || (error instanceof DatabaseError && PASSING.includes(error.code ?? ''));

function byFile(calls: readonly Call[]): Map<string, Call[]> {
  const files = new Map<string, Call[]>();
  for (const call of calls) {
    const ofFile = files.get(call.file);
    if (ofFile === undefined) files.set(call.file, [call]);
    else ofFile.push(call);
  }
  return files;
}
