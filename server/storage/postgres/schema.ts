/** The tables of a database. A server makes and migrates them itself. */

import type pg from 'pg';

/** Taken while the tables are made or migrated, so that servers that start at the same time do it once. */
const LOCK = 0x7477696e;

const MAJOR_AT_LEAST = 14;

/**
 * Step n makes version n + 1 of version n. A step that landed never changes. Servers of this version and of the one before
 * run at the same time during an upgrade, so a step only adds what the version before does not see. What that version used
 * is removed one version later.
 */
const STEPS = [
  `
  CREATE SEQUENCE revision;

  CREATE TABLE file (
    name text COLLATE "C" PRIMARY KEY,
    rev bigint NOT NULL,
    write_id uuid NOT NULL,
    tx xid8 NOT NULL,
    parent_file text COLLATE "C",
    parent_key text COLLATE "C"
  ) WITH (fillfactor = 50);

  CREATE TABLE document (
    file text COLLATE "C" NOT NULL REFERENCES file ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    born_at timestamptz,
    born_tag text,
    updated_at timestamptz NOT NULL,
    updated_by text,
    data text NOT NULL,
    PRIMARY KEY (file, key)
  ) WITH (fillfactor = 50);

  ALTER TABLE file ADD FOREIGN KEY (parent_file, parent_key) REFERENCES document ON DELETE CASCADE;
  CREATE INDEX ON file (parent_file, parent_key) WHERE parent_file IS NOT NULL;

  CREATE TABLE past (
    file text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text,
    data text NOT NULL,
    PRIMARY KEY (file, key, version)
  );

  CREATE FUNCTION forget_past() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM past WHERE file = old.name;
    RETURN NULL;
  END $$;
  CREATE TRIGGER forget_past AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION forget_past();
  `,
  `
  CREATE TABLE node (
    id uuid PRIMARY KEY,
    epoch uuid NOT NULL,
    beat_at timestamptz NOT NULL
  );

  CREATE TABLE leader (
    is_leader boolean PRIMARY KEY DEFAULT true CHECK (is_leader),
    node_id uuid NOT NULL REFERENCES node ON DELETE CASCADE
  );

  CREATE TABLE presence (
    session uuid PRIMARY KEY,
    device_id uuid NOT NULL,
    client_id text NOT NULL,
    node_id uuid NOT NULL REFERENCES node ON DELETE CASCADE,
    connected_at timestamptz NOT NULL
  );
  CREATE INDEX ON presence (device_id);
  CREATE INDEX ON presence (node_id);

  CREATE TABLE block (
    source text PRIMARY KEY,
    until timestamptz NOT NULL
  );

  CREATE FUNCTION claim(asking uuid, sessions uuid[], devices uuid[], clients text[], several boolean[])
    RETURNS TABLE (session uuid, connected_at timestamptz, taken uuid, taken_from uuid) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    now timestamptz;
  BEGIN
    -- Two servers that claim the same device do it one after the other, and the second one sees the first.
    PERFORM pg_advisory_xact_lock(hashtextextended(d.id, 0))
      FROM (SELECT DISTINCT id::text AS id FROM unnest(devices) AS a (id) ORDER BY 1) d;
    now := date_trunc('milliseconds', clock_timestamp());
    RETURN QUERY
      WITH asked AS (
        SELECT * FROM unnest(sessions, devices, clients, several) AS a (session, device_id, client_id, is_one_of_several)
      ), gone AS (
        DELETE FROM presence p USING asked a
          WHERE p.device_id = a.device_id AND p.node_id <> asking
            AND (NOT a.is_one_of_several OR (a.client_id <> '' AND p.client_id = a.client_id))
          RETURNING a.session, p.session AS taken, p.node_id
      ), made AS (
        INSERT INTO presence SELECT a.session, a.device_id, a.client_id, asking, now FROM asked a
      )
      SELECT a.session, now, g.taken, g.node_id FROM asked a LEFT JOIN gone g ON g.session = a.session;
  END $$;
  `,
];

/** The version of the tables that this program makes. */
export const SCHEMA_VERSION = STEPS.length;

/** Whether this program can work with tables of a version: with those of its own and of the next one. */
export const isKnownSchema = (version: number): boolean =>
  version === SCHEMA_VERSION || version === SCHEMA_VERSION + 1;

/** A database that this program cannot use. The message is for the owner. */
export class DatabaseUnusable extends Error {
  override name = 'DatabaseUnusable';
}

const FACTS = `
  SELECT current_setting('server_version_num')::int / 10000 AS major,
         current_setting('server_version') AS version,
         current_setting('fsync') AS fsync,
         current_setting('full_page_writes') AS full_page_writes,
         has_schema_privilege(current_schema(), 'CREATE') AS may_create,
         current_user AS "user", current_database() AS database`;

interface Facts {
  readonly major: number;
  readonly version: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly may_create: boolean | null;
  readonly user: string;
  readonly database: string;
}

/** The rules for a database, and what is wrong where one does not hold. The first counts. */
const RULES: readonly [holds: (facts: Facts) => boolean, fault: (facts: Facts) => string][] = [
  [
    ({ major }) => major >= MAJOR_AT_LEAST,
    ({ version }) => `it is PostgreSQL ${version}: 14 or later is needed`,
  ],
  [({ fsync }) => fsync === 'on', () => 'its fsync is off: it would lose acknowledged writes'],
  [
    ({ full_page_writes }) => full_page_writes === 'on',
    () => 'its full_page_writes is off: a power cut could damage it',
  ],
];

/** What is wrong with a database, if something is. */
export const faultIn = (facts: Facts): string | undefined =>
  RULES.find(([holds]) => !holds(facts))?.[1](facts);

/** Makes the tables, or migrates them. @throws DatabaseUnusable, or what the database throws */
export async function prepareDatabase(client: pg.Client): Promise<void> {
  const facts = (await client.query<Facts>(FACTS)).rows[0] as Facts;
  const fault = faultIn(facts);
  if (fault !== undefined) throw new DatabaseUnusable(fault);
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const version = await versionOf(client);
    if (version > SCHEMA_VERSION + 1)
      throw new DatabaseUnusable(
        `its tables are of version ${version}, and this program knows ${SCHEMA_VERSION}`,
      );
    if (version < SCHEMA_VERSION) await migrate(client, version, facts);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function versionOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ table: string | null }>("SELECT to_regclass('setting') AS table");
  if (rows[0]?.table === null) return 0;
  const found = await client.query<{ value: string }>("SELECT value FROM setting WHERE key = 'schema'");
  return Number(found.rows[0]?.value ?? 0);
}

async function migrate(client: pg.Client, from: number, facts: Facts): Promise<void> {
  if (facts.may_create !== true)
    throw new DatabaseUnusable(
      `the user ${facts.user} may not create tables in the database ${facts.database}`,
    );
  if (from === 0) await client.query('CREATE TABLE setting (key text PRIMARY KEY, value text NOT NULL)');
  for (const step of STEPS.slice(from)) await client.query(step);
  await client.query(
    `INSERT INTO setting VALUES ('schema', $1), ('touched', '')
     ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    [`${SCHEMA_VERSION}`],
  );
}
