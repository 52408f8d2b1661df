/** `npm test`: types, lint, then every test file. */

import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { ABOUT_OPTIONS, aboutText, exitStatus, failureText, understood } from '../shared/usage.js';
import { runOnDatabase } from './runner/on-database.js';
import { killAll, runProcess } from './runner/run-process.js';
import { runTests } from './runner/run-tests.js';

const HELP = `Checks types and lint, then runs the tests.

  npm test                 all tests
  npm test -- PART …       the test files whose path contains one of the parts, such as storage or mqtt
  npm test -- --help, --version

Each test file is a line with its result. A test that needs a program which is missing is skipped, with a line that
names the program; with CI=true it fails. The last line counts the tests that passed and failed.

With TWIN_TEST_DATABASE=postgres://… the servers of the tests keep their documents there. With CI=true their tests run
twice: on data directories, and then on a database.`;

/** A net for what hangs, not a measure of speed: the longest single test takes a tenth of it. */
const SILENCE_SECONDS = 600;
const CLOSING_SECONDS = 20;

const CHECKS = [
  'tsc -p .',
  'tsc -p firmware',
  'tsc -p server/app',
  'tsc -p server/app/worker',
  'biome check .',
];

const print = (line: string): void => console.log(line);

async function runCheck(command: string): Promise<number> {
  const [program = '', ...args] = command.split(' ');
  const { code, output } = await runProcess([`node_modules/.bin/${program}`, ...args], () => SILENCE_SECONDS);
  print(code === 0 ? `ok   ${command}` : `FAIL ${command}\n${output}`);
  return code === 0 ? 0 : 1;
}

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

/** In CI the tests of servers run on a data directory, and on a database. */
const isWhole = (filters: readonly string[]): boolean =>
  process.env.CI === 'true' && filters.length === 0 && process.env.TWIN_TEST_DATABASE === undefined;

async function runAll(): Promise<void> {
  const { values, positionals } = understood(
    () => parseArgs({ allowPositionals: true, options: ABOUT_OPTIONS }),
    ABOUT_OPTIONS,
    closestMatch,
  );
  const about = aboutText(values, HELP);
  if (about !== undefined) return print(about);
  let failed = 0;
  for (const check of CHECKS) failed += await runCheck(check);
  const run = {
    directory: 'test',
    filters: positionals,
    skipsFail: process.env.CI === 'true',
    silenceSeconds: SILENCE_SECONDS,
    closingSeconds: CLOSING_SECONDS,
    print,
  };
  const outcomes = [await runTests(run)];
  if (isWhole(positionals)) {
    print('again, with the documents of the servers in PostgreSQL:');
    outcomes.push(await runOnDatabase(run));
  }
  for (const outcome of outcomes) failed += outcome.failed;
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  print(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

runAll().catch((error) => {
  print(failureText('test', error));
  process.exitCode = exitStatus(error);
});
