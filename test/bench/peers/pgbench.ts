import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from '../../cluster/postgres.js';
import { pathOf } from '../../programs.js';
import type { Bench } from '../bench.js';
import { PAYLOAD } from '../load/mqtt.js';
import type { Role } from '../program.js';

/** pgbench would take a colon before a letter for a variable. */
const DATA = JSON.stringify(JSON.parse(PAYLOAD).data).replaceAll('":', '": ');

/**
 * PostgreSQL as one would use it in an afternoon: each put is a statement of its own, on a row of its own.
 * @param database `postgres://…`, in which the table is made
 * @returns the function that runs pgbench once and says how many updates there were, and how many a second
 */
export async function preparePgbench(
  bench: Bench,
  database: string,
  clients: number,
  role: Role = 'anywhere',
): Promise<() => Promise<{ updates: number; rate: number }>> {
  await ask(
    database,
    `CREATE TABLE twin (id int PRIMARY KEY, version bigint, updated_at timestamptz, data jsonb) WITH (fillfactor = 50);
     INSERT INTO twin SELECT id, 1, now(), '${DATA}' FROM generate_series(0, ${clients - 1}) id`,
  );
  const script = join(await bench.directory(), 'update.sql');
  await writeFile(
    script,
    `UPDATE twin SET version = version + 1, updated_at = now(), data = '${DATA}'::jsonb WHERE id = :client_id;\n`,
  );
  const options = ['-n', '-M', 'prepared', '-c', `${clients}`, '-j', '1', '-f', script];
  return async () => {
    // On a busy machine there may be no update in a second.
    for (let seconds = Math.max(1, Math.round(bench.options.seconds)); ; seconds *= 2) {
      const command = [pathOf('pgbench') ?? 'pgbench', ...options, '-T', `${seconds}`, database];
      const words = await bench.start(command, { role }).output();
      const updates = Number(/^number of transactions actually processed: (\d+)/m.exec(words)?.[1]);
      if (!/failed transactions: 0 /.test(words)) throw new Error(`pgbench: ${words}`);
      if (updates > 0) return { updates, rate: Number(/^tps = ([\d.]+)/m.exec(words)?.[1]) };
    }
  };
}
