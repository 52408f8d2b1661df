/** A group of calls that become one statement: what they decide, and what is sent. */

import type { Changed, Decide, Documents, Edit, StoredDocument } from '../storage.js';

/** A file as it was at a revision. A file that does not exist has the revision 0. */
export interface Version {
  readonly rev: number;
  readonly documents: Documents;
}

export const NO_FILE: Version = { rev: 0, documents: new Map() };

/** A call that is not answered yet. */
export interface Call {
  readonly file: string;
  /** Decides or looks, at the documents as the calls before it leave them. Returns how the call is answered. */
  readonly attempt: (latest: Documents, now: string) => { readonly edit?: Edit; readonly answer: () => void };
  readonly refuse: (error: Error) => void;
  /** When it is given up, by `performance.now()`. */
  readonly until: number;
  attempts: number;
}

export const changeCall = (file: string, decide: Decide, done: Changed, until: number): Call => ({
  file,
  attempt(latest, now) {
    try {
      const edit = decide(latest, now);
      return edit === undefined ? { answer: () => done(null) } : { edit, answer: () => done(null, edit) };
    } catch (error) {
      return { answer: () => done(error as Error) };
    }
  },
  refuse: done,
  until,
  attempts: 0,
});

export const readCall = <T>(
  file: string,
  look: (documents: Documents) => T,
  done: (error: Error | null, value?: T) => void,
  until: number,
): Call => ({
  file,
  attempt(latest) {
    try {
      const value = look(latest);
      return { answer: () => done(null, value) };
    } catch (error) {
      return { answer: () => done(error as Error) };
    }
  },
  refuse: done,
  until,
  attempts: 0,
});

/** The longest data that one statement writes, in UTF-16 units. A longer group might take longer than an answer may. */
export const LONGEST_GROUP = 1024 * 1024;

/** What a group does with one file. */
export interface Plan {
  readonly name: string;
  /** The calls are decided upon this. */
  readonly base: Version;
  readonly documents: Documents;
  /** Those that are decided. */
  readonly calls: readonly Call[];
  /** Those that wait for the next group. */
  readonly rest: readonly Call[];
  readonly answers: readonly (() => void)[];
  /** Every version of a document, except those of documents that were removed afterwards. */
  readonly puts: readonly (readonly [key: string, document: StoredDocument])[];
  /** The documents that were removed, also those that were put again. They leave no past versions. */
  readonly ended: ReadonlySet<string>;
  readonly edits: number;
  /** Of the data of all edits, in UTF-16 units. */
  readonly length: number;
}

/** Decides the calls of one file, one after the other, each upon what the one before leaves, until they are long enough. */
export function plan(name: string, base: Version, calls: readonly Call[], now: string): Plan {
  let documents = base.documents;
  let edits = 0;
  let length = 0;
  const answers: (() => void)[] = [];
  let puts: [string, StoredDocument][] = [];
  const ended = new Set<string>();
  for (const call of calls) {
    if (length >= LONGEST_GROUP) break;
    const { edit, answer } = call.attempt(documents, now);
    answers.push(answer);
    if (edit === undefined) continue;
    edits += 1;
    const { key, document } = edit;
    length += document?.data.length ?? 0;
    if (key !== undefined && document !== undefined) {
      puts.push([key, document]);
    } else {
      for (const gone of key === undefined ? documents.keys() : [key]) ended.add(gone);
      puts = puts.filter(([put]) => !ended.has(put));
    }
    documents = edited(documents, edit);
  }
  const [decided, rest] = [calls.slice(0, answers.length), calls.slice(answers.length)];
  return { name, base, documents, calls: decided, rest, answers, puts, ended, edits, length };
}

/** The plans in parts that are not too long for one statement each. */
export function partsOf(plans: readonly Plan[]): Plan[][] {
  const parts: Plan[][] = [];
  let room = 0;
  for (const each of plans) {
    const last = parts.at(-1);
    if (last === undefined || each.length > room) {
      parts.push([each]);
      room = LONGEST_GROUP;
    } else last.push(each);
    room -= each.length;
  }
  return parts;
}

/** A copy, because calls before may have kept what they were shown. */
function edited(documents: Documents, { key, document }: Edit): Documents {
  if (key === undefined) return new Map();
  const copy = new Map(documents);
  if (document === undefined) copy.delete(key);
  else copy.set(key, document);
  return copy;
}

/** What the storage knows of its files. */
export interface FileRules {
  /** Which files keep the past versions of their documents. */
  readonly keepsPast: (file: string) => boolean;
  /** The document that a file belongs to. It is removed with it. */
  readonly parentOf: (file: string) => { readonly file: string; readonly key: string } | undefined;
}

/**
 * The values of the statement WRITE.
 * @param server the name by which this server knows its own notifications
 * @param isAgain the group was sent before, and its answer is lost
 */
export function valuesOf(
  plans: readonly Plan[],
  { keepsPast, parentOf }: FileRules,
  { id, server, isAgain }: { readonly id: string; readonly server: string; readonly isAgain: boolean },
): unknown[] {
  const files = table(5);
  const removed = table(2);
  const ended = table(2);
  const puts = table(10);
  for (const { name, base, documents, puts: all, ended: gone, edits } of plans) {
    const parent = parentOf(name);
    files.add(name, base.rev, edits > 0, parent?.file ?? null, parent?.key ?? null);
    for (const key of base.documents.keys()) if (!documents.has(key)) removed.add(name, key);
    for (const key of gone) ended.add(name, key);
    for (const [key, document] of all) {
      const { version, born, updatedAt, updatedBy = null, data } = document;
      const isLast = documents.get(key) === document;
      const life = [born?.createdAt ?? null, born?.tag ?? null];
      puts.add(name, key, version, ...life, updatedAt, updatedBy, data, isLast, keepsPast(name));
    }
  }
  return [id, server, ...files.columns, ...removed.columns, ...puts.columns, isAgain, ...ended.columns];
}

/** Rows as one array for each column, which `unnest` takes. */
function table(width: number): { columns: unknown[][]; add: (...row: unknown[]) => void } {
  const columns = Array.from({ length: width }, () => [] as unknown[]);
  return {
    columns,
    add(...row) {
      for (const [index, column] of columns.entries()) column.push(row[index]);
    },
  };
}
