/** What the servers on one database ask it about each other. */

import type { Statement } from '../storage/postgres/connection.js';
import { MILLISECONDS } from '../storage/postgres/statements.js';

/** `came <node> <session> <device> <ms>`, `left <node> <session>`, `taken <node> <session> <new node>`, `gone <session>`, `dead <node>`. */
export const SESSION_CHANNEL = 'twin_session';

/** `<node> <ms> <source, in base64url>`. */
export const BLOCK_CHANNEL = 'twin_block';

/**
 * Renews the lease of a server, and declares those dead that did not renew theirs for so many milliseconds. What a dead
 * server had goes with its row. No row of its own means that the others have declared this one dead.
 */
export const RENEW: Statement = {
  name: 'renew',
  text: `
  WITH mine AS (
    UPDATE node SET beat_at = clock_timestamp() WHERE id = $1 AND epoch = $2 RETURNING id
  ), dead AS (
    DELETE FROM node WHERE id <> $1 AND beat_at < clock_timestamp() - $3 * interval '1 ms' RETURNING id
  ), led AS (
    INSERT INTO leader (node_id) SELECT id FROM mine ON CONFLICT (is_leader) DO NOTHING RETURNING node_id
  ), told AS MATERIALIZED (
    SELECT pg_notify('${SESSION_CHANNEL}', 'dead ' || id) FROM dead
  )
  SELECT EXISTS (SELECT FROM mine) AS is_mine,
      (SELECT count(*) FROM node)::int - (SELECT count(*) FROM told)::int AS live,
      EXISTS (SELECT FROM led) OR EXISTS (SELECT FROM leader WHERE node_id = $1) AS leads`,
};

export interface RenewRow {
  readonly is_mine: boolean;
  readonly live: number;
  readonly leads: boolean;
}

export const ENTER: Statement = {
  name: 'enter',
  text: `
  INSERT INTO node (id, epoch, beat_at) VALUES ($1, $2, clock_timestamp())`,
};

/** What the server had goes with its row. */
export const EXIT: Statement = {
  name: 'exit',
  text: `
  WITH gone AS (DELETE FROM node WHERE id = $1 RETURNING id)
  SELECT pg_notify('${SESSION_CHANNEL}', 'dead ' || id) FROM gone`,
};

/** Makes sessions, and takes those of other servers that may not go on beside them. */
export const CLAIM: Statement = {
  name: 'claim',
  text: `
  WITH claimed AS MATERIALIZED (SELECT * FROM claim($1, $2, $3, $4, $5)),
  told AS MATERIALIZED (
    SELECT pg_notify('${SESSION_CHANNEL}', 'came ' || $1 || ' ' || c.session || ' ' || a.device_id || ' '
        || (${MILLISECONDS('c.connected_at')})::bigint)
      FROM (SELECT DISTINCT session, connected_at FROM claimed) c
        JOIN unnest($2::uuid[], $3::uuid[]) AS a (session, device_id) ON a.session = c.session
  ), taking AS MATERIALIZED (
    SELECT pg_notify('${SESSION_CHANNEL}', 'taken ' || taken_from || ' ' || taken || ' ' || $1) FROM claimed
      WHERE taken IS NOT NULL AND (SELECT count(*) FROM told) > 0
  )
  SELECT session, ${MILLISECONDS('connected_at')} AS connected_at, taken, (SELECT count(*) FROM told) + (SELECT count(*) FROM taking) AS told FROM claimed`,
};

export interface ClaimRow {
  readonly session: string;
  /** Milliseconds since 1970. */
  readonly connected_at: number;
  /** A session of another server that must end, if there is one. */
  readonly taken: string | null;
}

export const RELEASE: Statement = {
  name: 'release',
  text: `
  WITH gone AS (DELETE FROM presence WHERE session = ANY ($1::uuid[]) AND node_id = $2 RETURNING session),
  told AS MATERIALIZED (SELECT pg_notify('${SESSION_CHANNEL}', 'left ' || $2 || ' ' || session) FROM gone)
  SELECT count(*) FROM told`,
};

/** The sessions of the other servers. */
export const SESSIONS: Statement = {
  name: 'sessions',
  text: `
  SELECT session, device_id, node_id, ${MILLISECONDS('connected_at')} AS connected_at
    FROM presence WHERE node_id <> $1`,
};

export interface SessionRow {
  readonly session: string;
  readonly device_id: string;
  readonly node_id: string;
  /** Milliseconds since 1970. */
  readonly connected_at: number;
}

export const BLOCK: Statement = {
  name: 'block',
  text: `
  WITH old AS (DELETE FROM block WHERE until < clock_timestamp() AND source <> $1),
  kept AS (
    INSERT INTO block VALUES ($1, clock_timestamp() + $2 * interval '1 ms')
      ON CONFLICT (source) DO UPDATE SET until = greatest(block.until, excluded.until)
  )
  SELECT pg_notify('${BLOCK_CHANNEL}', $3)`,
};

export const BLOCKS: Statement = {
  name: 'blocks',
  text: `
  SELECT source, (date_part('epoch', until - clock_timestamp()) * 1000)::float8 AS ms
    FROM block WHERE until > clock_timestamp()`,
};

export interface BlockRow {
  readonly source: string;
  readonly ms: number;
}
