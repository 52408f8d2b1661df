import { StorageUnavailable } from '../storage.js';
import type { Connection } from './connection.js';
import { NO_FILE, type Version } from './group.js';
import { documentIn, PROVE, READ, type ReadRow } from './statements.js';

/** How many files one statement reads at most. */
const FILES_AT_ONCE = 1000;

/** A revision that no file has: the file is read whatever it holds. */
const UNKNOWN = -1;

interface Wanted {
  readonly name: string;
  readonly until: number;
  readonly done: (version: Version) => void;
  readonly refuse: (error: Error) => void;
}

/**
 * Reads files in groups, one group after the other. A file that is as it is known here is not sent again. What is read is
 * what the database holds at some time between the call and the answer.
 */
export class Reads {
  readonly #connection: Connection;
  readonly #known: (name: string) => Version | undefined;
  readonly #isStrict: boolean;
  #waiting: Wanted[] = [];
  #isBusy = false;

  /** @param isStrict see PROVE */
  constructor(connection: Connection, known: (name: string) => Version | undefined, isStrict: boolean) {
    this.#connection = connection;
    this.#known = known;
    this.#isStrict = isStrict;
  }

  /** @param until when it is given up, by `performance.now()` @throws StorageUnavailable */
  read(name: string, until: number): Promise<Version> {
    return new Promise((done, refuse) => {
      this.#waiting.push({ name, until, done, refuse });
      if (!this.#isBusy) setImmediate(() => this.#next());
      this.#isBusy = true;
    });
  }

  async #next(): Promise<void> {
    const group = this.#waiting.splice(0, FILES_AT_ONCE);
    const names = [...new Set(group.map(({ name }) => name))];
    const until = Math.min(...group.map((wanted) => wanted.until));
    try {
      const versions = await this.#readAll(names, until);
      for (const { name, done } of group) done(versions.get(name) ?? NO_FILE);
    } catch (error) {
      const now = performance.now();
      for (const wanted of group) {
        if (wanted.until > now) this.#waiting.push(wanted);
        else wanted.refuse(new StorageUnavailable(error));
      }
    }
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
    else this.#isBusy = false;
  }

  async #readAll(names: readonly string[], until: number): Promise<Map<string, Version>> {
    const known = names.map(this.#known);
    const revisions = known.map((version) => version?.rev ?? UNKNOWN);
    const rows = await this.#connection.run<ReadRow>(READ, [names, revisions], until);
    if (this.#isStrict) await this.#connection.run(PROVE, [], until);
    const versions = new Map<
      string,
      { rev: number; documents: Map<string, ReturnType<typeof documentIn>> }
    >();
    for (const row of rows) {
      if (row.rev === null) continue;
      const version = versions.get(row.name) ?? { rev: Number(row.rev), documents: new Map() };
      versions.set(row.name, version);
      if (row.key !== null) version.documents.set(row.key, documentIn(row));
    }
    const found = new Map<string, Version>(versions);
    for (const version of known.entries()) {
      const [index, same] = version;
      const name = names[index] as string;
      if (same !== undefined && versions.get(name)?.rev === same.rev) found.set(name, same);
    }
    return found;
  }
}
