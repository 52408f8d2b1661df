/** What a database says while the data of a directory are moved into it, and when they were taken back. */

import type pg from 'pg';
import { callOf } from '../../../shared/call.js';
import { DatabaseUnusable } from './schema.js';

/** In the table of settings. While the data are used there is no such row. */
export const MOVING = 'moving';

const FAULTS: Readonly<Record<string, string>> = {
  arriving: `it holds an unfinished migration. Finish it with ${callOf('twin')} migrate --to, or start the server without TWIN_DATABASE`,
  leaving: `its data were taken back to a data directory. Start the server without TWIN_DATABASE; if the way back was cut off, finish it with ${callOf('twin')} migrate --back`,
};

/** @throws DatabaseUnusable when a data directory is the truth, or may be */
export async function refuseMoving(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ phase: string }>(
    "SELECT value::json ->> 'phase' AS phase FROM setting WHERE key = $1",
    [MOVING],
  );
  const [row] = rows;
  if (row !== undefined) throw new DatabaseUnusable(FAULTS[row.phase] ?? `it is ${row.phase}`);
}
