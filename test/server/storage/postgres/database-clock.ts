import { ask } from '../../../cluster/postgres.js';

/** Sets the clock of a database. @param at milliseconds since 1970 */
export type SetClock = (at: number) => Promise<void>;

/**
 * Gives an empty database a clock that only the test moves. What connects from then on has its time from it, because its
 * `clock_timestamp()` comes before the one of PostgreSQL.
 */
export async function ownClock(database: string, at: number): Promise<SetClock> {
  const timeOf = (milliseconds: number) => `to_timestamp(${milliseconds}::float8 / 1000)`;
  const name = new URL(database).pathname.slice(1);
  await ask(
    database,
    `CREATE TABLE clock AS SELECT ${timeOf(at)} AS shows;
     CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql AS 'SELECT shows FROM public.clock';
     ALTER DATABASE ${name} SET search_path = public, pg_catalog`,
  );
  return async (next) => {
    await ask(database, `UPDATE clock SET shows = ${timeOf(next)}`);
  };
}
