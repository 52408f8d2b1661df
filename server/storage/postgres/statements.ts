/** The statements of the storage. Each is one round trip. */

import type { StoredDocument } from '../storage.js';
import type { Statement } from './connection.js';

/** The channel on which a commit tells which files it has changed: `<server> <file>:<rev> <file>:<rev> …`. */
export const CHANGED = 'twin_changed';

/** How many files one notification names. PostgreSQL allows 8,000 bytes, and a name with its revision takes up to 60. */
export const FILES_OF_A_NOTIFICATION = 128;

/**
 * Writes a group of files: compare-and-set by the revision of each file, all of it in one transaction. A row for each file
 * says whether it was written, or what was found instead.
 *
 * The rows are locked in the order of their names, so that two servers do not wait for each other. New files come after
 * that (`locked` is counted before), also in their order. A file that belongs to a document, as a twin belongs to its
 * device, is only made while that document is there.
 *
 * A group that is sent again also writes a row of its own (`touched`): the commit of that row covers the commit before it,
 * which perhaps did not wait for a standby.
 */
export const WRITE: Statement = {
  name: 'write',
  text: `
  WITH asked AS (
    SELECT * FROM unnest($3::text[], $4::bigint[], $5::boolean[], $6::text[], $7::text[])
      AS a (name, rev, writes, parent_file, parent_key)
  ), locked AS MATERIALIZED (
    SELECT f.name, f.rev, f.write_id FROM file f JOIN asked a ON a.name = f.name ORDER BY f.name FOR UPDATE OF f
  ), changed AS (
    UPDATE file f SET rev = nextval('revision'), write_id = $1, tx = pg_current_xact_id()
      FROM locked l JOIN asked a ON a.name = l.name
      WHERE f.name = l.name AND a.writes AND a.rev = l.rev
      RETURNING f.name, f.rev
  ), owned AS MATERIALIZED (
    SELECT a.* FROM asked a
      WHERE a.writes AND a.rev = 0 AND (SELECT count(*) FROM locked) >= 0
        AND (a.parent_file IS NULL OR EXISTS (
          SELECT FROM document d WHERE d.file = a.parent_file AND d.key = a.parent_key FOR KEY SHARE))
  ), made AS (
    INSERT INTO file (name, rev, write_id, tx, parent_file, parent_key)
      SELECT name, nextval('revision'), $1, pg_current_xact_id(), parent_file, parent_key FROM owned ORDER BY name
      ON CONFLICT (name) DO NOTHING
      RETURNING name, rev
  ), won AS MATERIALIZED (
    SELECT * FROM changed UNION ALL SELECT * FROM made
  ), removed AS (
    DELETE FROM document d USING unnest($8::text[], $9::text[]) AS r (file, key)
      WHERE d.file = r.file AND d.key = r.key AND r.file IN (SELECT name FROM won)
  ), puts AS MATERIALIZED (
    SELECT p.* FROM unnest($10::text[], $11::text[], $12::bigint[], $13::timestamptz[], $14::text[],
        $15::timestamptz[], $16::text[], $17::text[], $18::boolean[], $19::boolean[])
      AS p (file, key, version, born_at, born_tag, updated_at, updated_by, data, is_last, is_kept)
      WHERE p.file IN (SELECT name FROM won)
  ), put AS (
    INSERT INTO document (file, key, version, born_at, born_tag, updated_at, updated_by, data)
      SELECT file, key, version, born_at, born_tag, updated_at, updated_by, data FROM puts WHERE is_last
      ON CONFLICT (file, key) DO UPDATE SET (version, born_at, born_tag, updated_at, updated_by, data)
        = (excluded.version, excluded.born_at, excluded.born_tag, excluded.updated_at, excluded.updated_by, excluded.data)
  ), forgotten AS (
    DELETE FROM past p USING unnest($21::text[], $22::text[]) AS e (file, key)
      WHERE p.file = e.file AND p.key = e.key AND e.file IN (SELECT name FROM won) RETURNING 1
  ), kept AS (
    INSERT INTO past (file, key, version, updated_at, updated_by, data)
      SELECT file, key, version, updated_at, updated_by, data FROM puts
        WHERE is_kept AND (SELECT count(*) FROM forgotten) >= 0
  ), touched AS (
    UPDATE setting SET value = $1::text WHERE key = 'touched' AND $20::boolean
  ), told AS MATERIALIZED (
    SELECT pg_notify('${CHANGED}', $2 || ' ' || string_agg(name || ':' || rev, ' '))
      FROM (SELECT name, rev, row_number() OVER () / ${FILES_OF_A_NOTIFICATION} AS part FROM won) w GROUP BY part
  )
  SELECT a.name, w.rev AS written, l.rev AS found, l.write_id = $1 AS is_ours,
      a.writes AND a.rev = 0 AND l.name IS NULL AND o.name IS NULL AS is_orphan,
      (SELECT count(*) FROM told) AS told
    FROM asked a LEFT JOIN won w ON w.name = a.name LEFT JOIN locked l ON l.name = a.name
      LEFT JOIN owned o ON o.name = a.name`,
};

/** What became of a file of a group. Revisions come as texts. */
export interface WriteRow {
  readonly name: string;
  /** Its new revision, when it was written. */
  readonly written: string | null;
  /** Its revision before, or null when there was no such file. */
  readonly found: string | null;
  /** This same group has written it before, when it was sent the first time. */
  readonly is_ours: boolean | null;
  /** It belongs to a document that is gone. */
  readonly is_orphan: boolean;
}

/** A time in milliseconds since 1970. */
export const MILLISECONDS = (column: string) => `round(date_part('epoch', ${column}) * 1000)::float8`;

/**
 * Reads files. Of a file that has the given revision only that is said. Of any other there is a row for each document, or
 * one row without a key.
 */
export const READ: Statement = {
  name: 'read',
  text: `
  SELECT a.name, f.rev, d.key, d.version::float8, ${MILLISECONDS('d.born_at')} AS born_at, d.born_tag,
      ${MILLISECONDS('d.updated_at')} AS updated_at, d.updated_by, d.data
    FROM unnest($1::text[], $2::bigint[]) AS a (name, rev)
      LEFT JOIN file f ON f.name = a.name
      LEFT JOIN document d ON d.file = f.name AND f.rev <> a.rev`,
};

/**
 * Writes nothing but a record of itself. Its commit waits for the standby, so a primary that was deposed does not get
 * through with it, and what was read before it was not out of date.
 */
export const PROVE: Statement = { name: 'prove', text: "SELECT pg_logical_emit_message(true, 'twin', '')" };

export interface ReadRow extends DocumentRow {
  readonly name: string;
  readonly rev: string | null;
  readonly key: string | null;
}

export interface DocumentRow {
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly born_at: number | null;
  readonly born_tag: string | null;
  /** Milliseconds since 1970. */
  readonly updated_at: number;
  readonly updated_by: string | null;
  readonly data: string;
}

export const LIST: Statement = {
  name: 'list',
  text: 'SELECT name FROM file WHERE starts_with(name, $1)',
};

/** The files that a transaction has changed which had not ended at a beat. */
export const LIST_SINCE: Statement = {
  name: 'list_since',
  text: 'SELECT name FROM file WHERE starts_with(name, $1) AND tx >= $2::xid8',
};

export const PAST: Statement = {
  name: 'past',
  text: `
  SELECT version::float8, ${MILLISECONDS('updated_at')} AS updated_at, updated_by, data FROM past
    WHERE file = $1 AND key = $2 AND version < $3 AND updated_at >= $4
    ORDER BY version DESC LIMIT $5`,
};

/** Removes the versions of a file that are too many or take too much room. The oldest go first. */
export const TRIM: Statement = {
  name: 'trim',
  text: `
  DELETE FROM past p USING (
    SELECT key, version, row_number() OVER (PARTITION BY key ORDER BY version DESC) AS place,
        sum(octet_length(data) + 96) OVER (ORDER BY updated_at DESC, version DESC) AS bytes
      FROM past WHERE file = $1
  ) old WHERE p.file = $1 AND p.key = old.key AND p.version = old.version AND (old.place > $2 OR old.bytes > $3)`,
};

/** The channel of the beat, which every server sends and hears itself: `<server> <number>`. */
export const BEAT_CHANNEL = 'twin_beat';

/**
 * Sends a beat, and tells the time, how safe a commit is and the version of the tables. Every transaction before `since` had ended: notifications come
 * in the order of the commits, so when the beat comes back, those of these transactions have come too.
 */
export const BEAT: Statement = {
  name: 'beat',
  text: `
    SELECT pg_notify('${BEAT_CHANNEL}', $1), ${MILLISECONDS('clock_timestamp()')} AS now,
           pg_snapshot_xmin(pg_current_snapshot())::text AS since,
           current_setting('synchronous_standby_names') <> ''
             AND current_setting('synchronous_commit') NOT IN ('off', 'local') AS standby,
           (SELECT value::int FROM setting WHERE key = 'schema') AS schema`,
};

export interface BeatRow {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A transaction id. */
  readonly since: string;
  /** Whether a commit waits for a standby. Patroni empties the names of the standbys when there is none. */
  readonly standby: boolean;
  /** The version of its tables. */
  readonly schema: number;
}
/** The channel on which servers ask each other whether they have heard of a change. */
export const AGREE_CHANNEL = 'twin_agree';

/** Sends a text on a channel. */
export const NOTIFY: Statement = { name: 'notify', text: 'SELECT pg_notify($1, $2)' };

export const NOW: Statement = { name: 'now', text: `SELECT ${MILLISECONDS('clock_timestamp()')} AS now` };

export function documentIn({
  version,
  born_at,
  born_tag,
  updated_at,
  updated_by,
  data,
}: DocumentRow): StoredDocument {
  const born =
    born_at === null || born_tag === null ? {} : { born: { createdAt: timeText(born_at), tag: born_tag } };
  const by = updated_by === null ? {} : { updatedBy: updated_by };
  return { version, ...born, updatedAt: timeText(updated_at), ...by, data };
}

const timeText = (milliseconds: number): string => new Date(milliseconds).toISOString();
