import { startPostgres } from '../cluster/postgres.js';
import { reachableFrom, withoutExtension } from '../structure/layers.js';
import { readSources } from '../structure/sources.js';
import { type Outcome, runTests, type TestRun } from './run-tests.js';

const MARK = 'test/database-under-test';
const START = 'test/system/server';

/** A file that says where its servers keep their documents. */
const CHOOSES = /^keepInDirectory\(\);|TWIN_DATABASE:/m;

/** The test files whose servers keep their documents where `TWIN_TEST_DATABASE` says. */
export function filesOnDatabase(): string[] {
  const sources = readSources().map((source) => ({ ...source, name: withoutExtension(source.path) }));
  const importsOf = new Map(sources.map(({ name, imports }) => [name, imports]));
  const choosing = sources.filter(
    ({ name, path, text }) => path.startsWith('test/') && name !== START && CHOOSES.test(text),
  );
  return sources
    .filter(({ path }) => path.startsWith('test/') && path.endsWith('.test.ts'))
    .filter(({ name }) => {
      const reached = reachableFrom(name, importsOf).add(name);
      return reached.has(MARK) && !choosing.some((each) => reached.has(each.name));
    })
    .map(({ path }) => path);
}

/** Runs them on a PostgreSQL of their own. */
export async function runOnDatabase(run: TestRun): Promise<Outcome> {
  const postgres = await startPostgres({ max_connections: '500' });
  process.env.TWIN_TEST_DATABASE = postgres.url;
  try {
    return await runTests({ ...run, filters: filesOnDatabase() });
  } finally {
    await postgres.stop();
  }
}
