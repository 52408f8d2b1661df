import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startProgram } from '../system/process.js';
import { compare, comparison, type Run } from './compare.js';
import type { Measurement } from './row.js';

const run = (measurements: Measurement[], more: Partial<Run> = {}): Run => ({
  versions: { node: '20.20.2' },
  machine: 'a machine',
  cores: 'two',
  seconds: 5,
  rounds: 3,
  measurements,
  ...more,
});
const measured = (server: number[], more: Partial<Measurement> = {}): Measurement => ({
  row: 'row',
  what: '',
  unit: 'req/s',
  server,
  notes: [],
  ...more,
});
const beside = (figures: number[]): Partial<Measurement> => ({ peer: { name: 'peer', figures } });

const changes = (before: Measurement[], after: Measurement[]) => compare(run(before), run(after));
const change = (before: Measurement, after: Measurement) => changes([before], [after])[0];
const result = (...both: Parameters<typeof change>) => change(...both)?.result;

test('a figure lost when each run is outside the spread of the other', () => {
  assert.equal(change(measured([90, 100, 110]), measured([70, 80, 85])), {
    row: 'row',
    unit: 'req/s',
    before: { figure: 100, spread: { least: 90, middle: 100, greatest: 110 } },
    after: { figure: 80, spread: { least: 70, middle: 80, greatest: 85 } },
    ratio: 0.8,
    result: 'lost',
  });
  assert.is(result(measured([70, 80, 85]), measured([90, 100, 110])), 'gained');
});

test('a figure that is inside the spread of one of the runs did not change', () => {
  assert.is(result(measured([90, 100, 110]), measured([95, 120, 130])), 'same');
  assert.is(result(measured([95, 120, 130]), measured([90, 100, 110])), 'same');
  assert.is(result(measured([75, 100, 110]), measured([79, 80, 81])), 'same');
  assert.is(result(measured([90, 100, 110]), measured([90, 100, 110])), 'same');
});

test('a change of less than three percent is none, though no round differs from the other ones', () => {
  assert.is(result(measured([100]), measured([97.1])), 'same');
  assert.is(result(measured([100]), measured([96.9])), 'lost');
  assert.is(result(measured([100]), measured([103.1])), 'gained');
});

test('where both have a peer, the ratios to it are compared, so that a slower machine changes nothing', () => {
  const before = measured([50, 50, 50], beside([100, 100, 100]));
  const slower = measured([25, 25, 25], beside([50, 50, 50]));
  assert.is(result(before, slower), 'same');
  assert.is(change(before, slower)?.unit, '×');
  assert.is(result(before, measured([50, 50, 50], beside([200, 200, 200]))), 'lost');
  assert.is(change(before, measured([25, 25, 25]))?.unit, 'req/s');
});

test('a time and a size lose when they grow, with a bar and without', () => {
  const bar = { relation: '<=', limit: 500, on: 'server' } as const;
  for (const more of [{ unit: 'ms' }, { unit: 'KiB' }, { bar }]) {
    assert.is(result(measured([100], more), measured([120], more)), 'lost');
    assert.is(result(measured([120], more), measured([100], more)), 'gained');
  }
});

test('a bar says which direction is better, whatever the unit', () => {
  const more = { unit: 'ms', bar: { relation: '>=', limit: 1, on: 'server' } } as const;
  assert.is(result(measured([100], more), measured([120], more)), 'gained');
});

test('where the greatest figure counts, it is compared', () => {
  const more = { unit: 'ms', counts: 'greatest' } as const;
  assert.is(result(measured([1, 2, 9], more), measured([10, 11, 12], more)), 'lost');
  assert.is(result(measured([1, 2, 9], more), measured([8, 9, 12], more)), 'same');
});

test('what grew out of nothing lost, and what stayed nothing did not change', () => {
  const unit = { unit: 'bytes' };
  assert.is(result(measured([0], unit), measured([8], unit)), 'lost');
  assert.is(result(measured([8], unit), measured([0], unit)), 'gained');
  assert.is(result(measured([0], unit), measured([0], unit)), 'same');
});

test('a fault that was not there before is a loss, whatever the figures', () => {
  const faulty = { faults: ['the server died'] };
  assert.is(result(measured([100]), measured([120], faulty)), 'lost');
  assert.is(result(measured([100], faulty), measured([120], faulty)), 'gained');
});

test('a row that was disturbed too much in one of the runs neither lost nor gained', () => {
  const disturbed = (count: number) => ({ repeats: { repeated: 9, counted: 3, disturbed: count } });
  const [before, after] = [
    [90, 100, 110],
    [70, 80, 85],
  ] as const;
  assert.is(result(measured([...before], disturbed(2)), measured([...after])), 'doubtful');
  assert.is(result(measured([...before]), measured([...after], disturbed(2))), 'doubtful');
  assert.is(result(measured([...before]), measured([...after], disturbed(1))), 'lost');
  assert.is(result(measured([...before]), measured([...before], disturbed(3))), 'same');
  assert.is(result(measured([100]), measured([100], { ...disturbed(3), faults: ['it died'] })), 'lost');
});

test('a row that only one of the runs has is named, and not compared', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((row) => measured([1], { row })) as [
    Measurement,
    Measurement,
    Measurement,
  ];
  assert.equal(
    changes([a, b], [b, c]).map(({ row }) => row),
    ['b'],
  );
  const text = comparison(run([a, b]), run([b, c]));
  assert.match(text, 'Only before: a');
  assert.match(text, 'Only after: c');
});

test('the comparison shows both figures with their spread, the result and the rule', () => {
  const text = comparison(run([measured([90, 100, 110])]), run([measured([70, 80, 85])]));
  assert.match(text, /^row +100 req\/s \(90 … 110\) +80 req\/s \(70 … 85\) +0\.8 × +LOST$/m);
  assert.match(text, 'more than 3 %, and the figure of each run is outside the');
  assert.not.match(text, 'Not the same');
  assert.not.match(text, 'fewer than');
});

test('what makes two runs less alike is said', () => {
  const rows = [measured([1])];
  const text = comparison(run(rows), run(rows, { versions: { node: '22.1.0' }, rounds: 1, seconds: 2 }));
  for (const [what, before, after] of [
    ['node', '20.20.2', '22.1.0'],
    ['seconds', '5', '2'],
  ])
    assert.match(text, `Not the same: ${what}, before ${before}, after ${after}`);
  assert.match(text, 'fewer than 3 rounds');
});

test('the command that compares two files ends with status 1 when a row lost, and else with 0, whatever its bar', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'twin-compare-'));
  const [slow, quick] = ['slow', 'quick'].map((name) => join(directory, name)) as [string, string];
  const bar = { relation: '>=', limit: 1000, on: 'server' } as const;
  writeFileSync(slow, JSON.stringify(run([measured([70, 80, 85], { bar })])));
  writeFileSync(quick, JSON.stringify(run([measured([90, 100, 110], { bar })])));
  const ended = async (before: string, after: string) => {
    const bench = [process.execPath, '--import', 'tsx', 'test/bench/run.ts'];
    const program = startProgram([...bench, '--compare', before, '--from', after]);
    const { code } = await program.ended;
    return { code, words: program.lines.join('\n') };
  };
  try {
    const lost = await ended(quick, slow);
    assert.is(lost.code, 1);
    assert.match(lost.words, 'LOST');
    assert.is((await ended(slow, quick)).code, 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.run();
