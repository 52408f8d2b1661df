/** Programs that some tests need and that a machine may lack. With `CI=true` the runner counts a skip as a failure. */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test as defaultSuite, type Test } from 'uvu';

/** Debian keeps daemons where an ordinary user's PATH does not look. */
const DAEMON_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', ...postgresDirectories()];

/** Each version of PostgreSQL has one, which is in no user's PATH. The newest comes first. */
function postgresDirectories(): string[] {
  const versions = '/usr/lib/postgresql';
  if (!existsSync(versions)) return [];
  return readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, 'bin'));
}

/** The program's full path, or undefined when it is not installed. */
export function pathOf(program: string): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter).concat(DAEMON_DIRECTORIES);
  return directories.map((directory) => join(directory, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

type AddTest<T> = (name: string, body: Parameters<Test<T>>[1]) => void;

/**
 * Adds a test to the suite where every program is installed, and skips it with a line that names the missing ones
 * where not: `needs('mosquitto_pub', 'jq')('says the rule', async () => { … })`.
 */
export function needs(...programs: string[]): AddTest<Record<string, unknown>> {
  return needsIn(defaultSuite, ...programs);
}

/** The same for a suite of one's own. */
export function needsIn<T>(suite: Test<T>, ...programs: string[]): AddTest<T> {
  const missing = programs.filter((program) => pathOf(program) === undefined);
  return missing.length === 0 ? suite : skipping(missing.join(', '), suite);
}

/** The same for tests that run in namespaces of their own, which not every user may make, nor root in every container. */
export function needsNamespaces<T>(suite: Test<T>): AddTest<T> {
  const { status } = spawnSync('unshare', ['-rmpf', '--mount-proc', 'true']);
  return status === 0 ? suite : skipping('a user who may make namespaces with unshare', suite);
}

/** Skips each test, with a line that names what is missing. */
export function skipping<T>(missing: string, suite: { skip(name: string): void } = defaultSuite): AddTest<T> {
  return (name) => {
    console.log(`skipped: ${name} needs ${missing}`);
    suite.skip(name);
  };
}
