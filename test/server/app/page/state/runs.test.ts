import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  isGap,
  joined,
  lastRinging,
  recent,
  runOf,
  runsOf,
  SILENCE_MS,
} from '../../../../../server/app/page/state/runs.js';
import { current, MINUTE, other, run, T } from './world.js';

const said = (minute: number, state: Parameters<typeof current>[0] = {}) =>
  current(state, T + minute * MINUTE, 1000 + minute);

test('versions that say the same are one run', () => {
  const history = [said(0), said(1), said(2, { armed: true }), said(3, { armed: true })].reverse();
  assert.equal(runsOf(history), [run(0, 1), run(2, 3, { armed: true })]);
});

test('silence ends a run, though the panel says the same afterwards', () => {
  const [first, second, ...more] = runsOf([said(0), said(1), said(4), said(5)].reverse());
  assert.equal(more, []);
  assert.ok(first && second && isGap(first, second));
  assert.equal(
    [first, second],
    [
      { ...run(0, 1), last: 1001 },
      { ...run(4, 5), first: 1004 },
    ],
  );
  assert.ok(3 * MINUTE > SILENCE_MS);
});

test('versions that are not there end a run, though little time has passed', () => {
  const before = { ...run(0, 1), last: 1001 };
  const after = { ...run(2, 3), first: 1007, last: 1008 };
  assert.equal(joined([before], [after]), [before, after]);
  assert.ok(isGap(before, after));
});

test('a version that is read again does not count twice', () => {
  const runs = runsOf([said(0), said(1), said(2, { open: true })].reverse());
  assert.equal(joined(runs, runs), runs);
  const further = runsOf([said(2, { open: true }), said(3, { open: true }), said(4)].reverse());
  assert.equal(joined(runs, further), [run(0, 1), run(2, 3, { open: true }), run(4, 4)]);
});

test('two versions of one millisecond are two, and none is missing between them and the next', () => {
  const history = [
    current({}, T, 1),
    current({ armed: true }, T, 2),
    current({ armed: true }, T + MINUTE, 3),
  ];
  const runs = runsOf(history.reverse());
  assert.equal(
    runs.map(({ first, last, from, to }) => [first, last, from, to]),
    [
      [1, 1, T, T],
      [2, 3, T, T + MINUTE],
    ],
  );
  const [first, second] = runs;
  assert.ok(first && second && !isGap(first, second));
});

test('a document of another device has no past', () => {
  assert.is(runOf(other({ on: true })), undefined);
  assert.equal(runsOf([other({ on: true })]), []);
});

test('what ended long ago is forgotten', () => {
  const runs = [run(0, 1), run(2, 3, { open: true })];
  assert.is(recent(runs, T), runs);
  assert.equal(recent(runs, T + 2 * MINUTE), [run(2, 3, { open: true })]);
});

test('the last ringing goes through whatever the door does, to where it ended', () => {
  const runs = [
    run(0, 1, { ringing: true }),
    run(2, 3),
    run(4, 5, { ringing: true, open: true }),
    run(6, 7, { ringing: true }),
    run(8, 9),
  ];
  assert.equal(lastRinging(runs), { from: T + 4 * MINUTE, to: T + 8 * MINUTE });
  assert.equal(lastRinging(runs.slice(0, 3)), { from: T + 4 * MINUTE, to: T + 5 * MINUTE });
  assert.is(lastRinging([run(0, 1)]), undefined);
});

test.run();
