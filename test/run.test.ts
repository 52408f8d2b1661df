import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Outcome, runTests, type TestRun } from './runner/run-tests.js';

const test = suite<{ directory: string }>('runner');

const UVU = import.meta.resolve('uvu');
const suiteFile = (body: string): string => `import { test } from ${JSON.stringify(UVU)};\n${body}\n`;

const passing = suiteFile(`test('one', () => {}); test('two', () => {}); test.run();`);
const failing = suiteFile(
  `test('one', () => {}); test('two', () => { throw new Error('by design') }); test.run();`,
);
const forgotten = suiteFile(`test('one', () => {});`);
const empty = suiteFile('test.run();');
const skipping = suiteFile(
  `test('one', () => {}); test.skip('two', () => {}); console.log('skipped: two needs jq'); test.run();`,
);
const hanging = suiteFile(`test('one', () => new Promise(() => setInterval(() => {}, 1000))); test.run();`);
/** Longer in all than it may be silent. */
const slow = suiteFile(
  `for (const name of ['one', 'two', 'three'])
    test(name, () => new Promise((resolve) => setTimeout(resolve, 3000)));
  test.run();`,
);
const leavingOpen = suiteFile(`test('one', () => { setInterval(() => {}, 1000) }); test.run();`);
const failingOpen = suiteFile(
  `test('one', () => { setInterval(() => {}, 1000); throw new Error('by design') }); test.run();`,
);
const endingEarly = suiteFile(`test('one', () => new Promise(() => {})); test.run();`);
const crashing = suiteFile(`test('one', () => process.kill(process.pid, 'SIGSEGV')); test.run();`);
const exitingWell = suiteFile(`test('one', () => process.exit(0)); test.run();`);
const throwingLate = suiteFile(
  `test('one', () => {}); test.run(); process.on('exit', () => { process.exitCode = 3 });`,
);

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'runner-'));
});

test.after.each((context) => rmSync(context.directory, { recursive: true, force: true }));

interface Printed extends Outcome {
  printed: string;
}

async function run(
  directory: string,
  files: Record<string, string>,
  options: Partial<TestRun> = {},
): Promise<Printed> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const lines: string[] = [];
  const outcome = await runTests({
    directory,
    filters: [],
    skipsFail: false,
    silenceSeconds: 60,
    closingSeconds: 60,
    print: (line) => lines.push(line),
    ...options,
  });
  return { ...outcome, printed: lines.join('\n') };
}

const counts = ({ passed, failed }: Outcome): Outcome => ({ passed, failed });

test('adds up the tests of all files', async ({ directory }) => {
  const files = { 'a.test.ts': passing, 'b.test.ts': passing, 'not-a-test.ts': failing };
  assert.equal(counts(await run(directory, files)), { passed: 4, failed: 0 });
});

test('counts a failing test and prints the whole output of its file only', async ({ directory }) => {
  const outcome = await run(directory, { 'a.test.ts': passing, 'b.test.ts': failing });
  assert.equal(counts(outcome), { passed: 3, failed: 1 });
  assert.match(outcome.printed, /FAIL .*b\.test\.ts/);
  assert.match(outcome.printed, 'by design');
  assert.match(outcome.printed, /ok {3}.*a\.test\.ts {2}2 passed {2}\d/);
});

test('fails a suite that forgot to run', async ({ directory }) => {
  const outcome = await run(directory, { 'a.test.ts': forgotten, 'b.test.ts': passing });
  assert.equal(counts(outcome), { passed: 2, failed: 1 });
  assert.match(outcome.printed, 'is .run() missing?');
});

test('fails a suite without tests', async ({ directory }) => {
  const outcome = await run(directory, { 'a.test.ts': empty, 'b.test.ts': passing });
  assert.equal(counts(outcome), { passed: 2, failed: 1 });
  assert.match(outcome.printed, 'no test ran');
});

test('kills and fails a file that prints nothing for too long', async ({ directory }) => {
  const outcome = await run(directory, { 'a.test.ts': hanging }, { silenceSeconds: 2 });
  assert.equal(counts(outcome), { passed: 0, failed: 1 });
  assert.match(outcome.printed, 'printed nothing for 2 s');
});

test('lets a file run on as long as its tests end one after the other', async ({ directory }) => {
  const outcome = await run(directory, { 'a.test.ts': slow }, { silenceSeconds: 6 });
  assert.equal(counts(outcome), { passed: 3, failed: 0 });
});

test('ends a file that its last test left open, and counts it as failed', async ({ directory }) => {
  const files = { 'a.test.ts': leavingOpen, 'b.test.ts': failingOpen };
  const outcome = await run(directory, files, { closingSeconds: 0.1 });
  assert.equal(counts(outcome), { passed: 1, failed: 2 });
  assert.match(outcome.printed, 'still running 0.1 s after its last test');
  assert.match(outcome.printed, 'by design');
});

test('fails a file whose process ends before its tests', async ({ directory }) => {
  const files = { 'a.test.ts': endingEarly, 'b.test.ts': exitingWell };
  const outcome = await run(directory, files);
  assert.equal(counts(outcome), { passed: 0, failed: 2 });
  assert.match(outcome.printed, 'ended without a summary');
});

test('fails a file whose process crashes', async ({ directory }) => {
  const outcome = await run(directory, { 'a.test.ts': crashing });
  assert.equal(counts(outcome), { passed: 0, failed: 1 });
  assert.match(outcome.printed, 'ended by SIGSEGV');
});

test('fails a file that does not even parse', async ({ directory }) => {
  assert.equal(counts(await run(directory, { 'a.test.ts': 'const = 1' })), { passed: 0, failed: 1 });
});

test('fails a file whose tests pass and whose exit code is not 0', async ({ directory }) => {
  const outcome = await run(directory, { 'a.test.ts': throwingLate });
  assert.is(outcome.failed, 1);
  assert.match(outcome.printed, 'exit code 3');
});

test('lets a skip pass on a desk and fails it where skips are not allowed', async ({ directory }) => {
  const onDesk = await run(directory, { 'a.test.ts': skipping });
  assert.equal(counts(onDesk), { passed: 1, failed: 0 });
  assert.match(onDesk.printed, '\n    skipped: two needs jq\n');
  const outcome = await run(directory, {}, { skipsFail: true });
  assert.equal(counts(outcome), { passed: 1, failed: 1 });
  assert.match(outcome.printed, '1 skipped');
});

test('runs the files that a filter names', async ({ directory }) => {
  const files = { 'a.test.ts': passing, 'b.test.ts': failing };
  const outcome = await run(directory, files, { filters: ['a.test'] });
  assert.equal(counts(outcome), { passed: 2, failed: 0 });
});

test('takes the path of a file as it was printed', async ({ directory }) => {
  const { printed } = await run(directory, { 'a.test.ts': passing, 'b.test.ts': passing });
  const [, path = ''] = /^ok {3}(.*b\.test\.ts) /m.exec(printed) ?? [];
  assert.equal(counts(await run(directory, {}, { filters: [path] })), { passed: 2, failed: 0 });
});

test('fails when there is no file', async ({ directory }) => {
  assert.equal(counts(await run(directory, {})), { passed: 0, failed: 1 });
});

test('fails when a filter names no file', async ({ directory }) => {
  const outcome = await run(directory, { 'a.test.ts': passing }, { filters: ['a.test', 'mqqt'] });
  assert.equal(counts(outcome), { passed: 0, failed: 1 });
  assert.match(outcome.printed, 'no test file matches mqqt');
});

test.run();
