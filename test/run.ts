/** `npm test`: types, lint, then every test file. Arguments are parts of the paths of the files to run. */

import { killAll, runProcess } from './runner/run-process.js';
import { runTests } from './runner/run-tests.js';

const FILE_LIMIT_SECONDS = 120;
const SYSTEM_LIMIT_SECONDS = 600;
const CHECK_LIMIT_SECONDS = 300;
/** Raise it as tests are added: a suite that silently vanished is noticed by it. */
const LEAST_TESTS = 2_300;

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
  const { code, output } = await runProcess([`node_modules/.bin/${program}`, ...args], CHECK_LIMIT_SECONDS);
  print(code === 0 ? `ok   ${command}` : `FAIL ${command}\n${output}`);
  return code === 0 ? 0 : 1;
}

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

let failed = 0;
for (const check of CHECKS) failed += await runCheck(check);

const tests = await runTests({
  directory: 'test',
  filters: process.argv.slice(2),
  skipsFail: process.env.CI === 'true',
  leastTests: LEAST_TESTS,
  limitSeconds: (file) => (file.startsWith('system/') ? SYSTEM_LIMIT_SECONDS : FILE_LIMIT_SECONDS),
  print,
});
failed += tests.failed;

print(`${tests.passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
