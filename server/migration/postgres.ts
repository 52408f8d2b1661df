/** A PostgreSQL as the other end of a migration. */

import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { DatabaseAddress } from '../database-address.js';
import { Connection, type Statement } from '../storage/postgres/connection.js';
import type { FileRules } from '../storage/postgres/group.js';
import { MOVING } from '../storage/postgres/moving.js';
import { PostgresStorage } from '../storage/postgres/postgres.js';
import { DatabaseUnusable, prepareDatabase } from '../storage/postgres/schema.js';
import type { StoredDocument } from '../storage/storage.js';
import { EVERYTHING, MEMORY_BYTES } from './directory.js';
import type { Database, Holding } from './migrate.js';
import { type WholeFile, withoutBirth } from './whole-file.js';

/** A batch takes longer than a request of a client may. In milliseconds. */
const ANSWER_MS = 120_000;
/** How long a host is sought that takes writes. */
const CONNECT_MS = 10_000;
/** A batch is written when its documents and versions have so many characters, or are so many. */
const BATCH = { length: 4 * 1024 * 1024, rows: 10_000 };

const HOLDING: Statement = {
  name: 'holding',
  text: `
  SELECT (SELECT value FROM setting WHERE key = '${MOVING}') AS moving,
      (SELECT data::json ->> 'id' FROM document WHERE file = 'server' AND key = 'hub') AS hub,
      EXISTS (SELECT FROM file) AS is_full`,
};

/** Other connections of this program to this database. */
const SERVED: Statement = {
  name: 'served',
  text: `
  SELECT count(*) > 0 AS is_served FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND application_name = (SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid())`,
};

const CLEAR: Statement = {
  name: 'clear',
  text: `
  WITH gone AS (DELETE FROM file)
  INSERT INTO setting VALUES ('${MOVING}', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
};

const ENTER: Statement = {
  name: 'enter',
  text: `INSERT INTO setting VALUES ('${MOVING}', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
};

const USE: Statement = { name: 'use', text: `DELETE FROM setting WHERE key = '${MOVING}'` };

const FILL: Statement = {
  name: 'fill',
  text: `
  WITH files AS (
    INSERT INTO file (name, rev, write_id, tx, parent_file, parent_key)
      SELECT name, nextval('revision'), $1, pg_current_xact_id(), parent_file, parent_key
        FROM unnest($2::text[], $3::text[], $4::text[]) AS f (name, parent_file, parent_key)
  ), documents AS (
    INSERT INTO document (file, key, version, born_at, born_tag, updated_at, updated_by, data)
      SELECT * FROM unnest($5::text[], $6::text[], $7::bigint[], $8::timestamptz[], $9::text[],
        $10::timestamptz[], $11::text[], $12::text[])
  )
  INSERT INTO past (file, key, version, updated_at, updated_by, data)
    SELECT * FROM unnest($13::text[], $14::text[], $15::bigint[], $16::timestamptz[], $17::text[], $18::text[])`,
};

/**
 * Connects to a database, and makes its tables where there are none.
 * @throws DatabaseUnusable
 */
export async function openDatabase(
  address: DatabaseAddress,
  log: Logger,
  rules: FileRules,
): Promise<Database & { close(): Promise<void> }> {
  const connection = new Connection(address, { limits: { answerMs: ANSWER_MS }, onOpen: prepareDatabase });
  const storage = new PostgresStorage(
    { database: address, memoryBytes: MEMORY_BYTES, ...EVERYTHING },
    log,
    rules,
  );
  const run = async <Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> =>
    connection.run<Row>(statement, values, performance.now() + CONNECT_MS);
  try {
    await connection.connect(performance.now() + CONNECT_MS);
  } catch (error) {
    const { message } = ((error as Error).cause ?? error) as Error;
    throw new DatabaseUnusable(`the database ${address.shown} cannot be used: ${message}`);
  }
  let begun: Promise<void> | undefined;
  return {
    address: address.shown,
    async storage() {
      begun ??= storage.begin();
      await begun;
      return storage;
    },
    async holding() {
      const [row] = await run<{ moving: string | null; hub: string | null; is_full: boolean }>(HOLDING);
      if (row === undefined || (row.moving === null && !row.is_full)) return undefined;
      return row.moving === null
        ? { phase: 'used', hub: row.hub ?? '' }
        : (JSON.parse(row.moving) as Holding);
    },
    isServed: async () => (await run<{ is_served: boolean }>(SERVED))[0]?.is_served === true,
    async clear(hub) {
      await run(CLEAR, [JSON.stringify({ phase: 'arriving', hub } satisfies Holding)]);
    },
    async fill(files) {
      for await (const values of batches(files, rules)) await run(FILL, [randomUUID(), ...values]);
    },
    async enter(holding) {
      await (holding.phase === 'used' ? run(USE) : run(ENTER, [JSON.stringify(holding)]));
    },
    async close() {
      await storage.close();
      await connection.close();
    },
  };
}

/** The values of `FILL` without the first. Files that own others must come before those. */
async function* batches(files: AsyncIterable<WholeFile>, rules: FileRules): AsyncGenerator<unknown[][]> {
  const written = new Set<string>();
  let batch = new Batch();
  for await (const file of files) {
    const parent = rules.parentOf(file.name);
    // A twin whose device is gone is on its way to be removed, too.
    const isOwned = parent !== undefined && written.has(nameOf(parent.file, parent.key));
    batch.add(file, isOwned ? parent : undefined, rules.keepsPast(file.name));
    for (const { key } of file.documents) written.add(nameOf(file.name, key));
    if (batch.length < BATCH.length && batch.rows < BATCH.rows) continue;
    yield batch.values;
    batch = new Batch();
  }
  if (batch.rows > 0) yield batch.values;
}

const nameOf = (file: string, key: string): string => `${file} ${key}`;

class Batch {
  readonly #files = columns(3);
  readonly #documents = columns(8);
  readonly #past = columns(6);
  length = 0;
  rows = 0;

  add(
    { name, documents }: WholeFile,
    parent: { file: string; key: string } | undefined,
    keepsPast: boolean,
  ): void {
    push(this.#files, [name, parent?.file ?? null, parent?.key ?? null]);
    for (const { key, document, past } of documents) {
      const { version, born, updatedAt, updatedBy, data } = document;
      this.#count(document);
      push(this.#documents, [
        name,
        key,
        version,
        born?.createdAt ?? null,
        born?.tag ?? null,
        updatedAt,
        updatedBy ?? null,
        data,
      ]);
      // The present version is in the past, too.
      for (const each of keepsPast ? [...past, withoutBirth(document)] : []) {
        this.#count(each);
        push(this.#past, [name, key, each.version, each.updatedAt, each.updatedBy ?? null, each.data]);
      }
    }
  }

  get values(): unknown[][] {
    return [...this.#files, ...this.#documents, ...this.#past];
  }

  #count({ data }: StoredDocument): void {
    this.length += data.length;
    this.rows += 1;
  }
}

const columns = (count: number): unknown[][] => Array.from({ length: count }, () => []);

function push(into: unknown[][], row: readonly unknown[]): void {
  for (const [index, value] of row.entries()) into[index]?.push(value);
}
