import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { happeningsIn } from '../../../../../server/app/page/state/happenings.js';
import { MINUTE, run, T } from './world.js';

const WINDOW = { from: T, to: T + 60 * MINUTE };

const lines = (...args: Parameters<typeof happeningsIn>): [number, string][] =>
  happeningsIn(...args).map(({ at, text }) => [(at - T) / MINUTE, text]);

test('each change is a line, the newest first, with how long it had been otherwise', () => {
  const runs = [
    run(0, 1),
    run(2, 4, { armed: true }),
    run(5, 6, { armed: true, open: true, ringing: true }),
    run(7, 8, { armed: true, ringing: true }),
    run(9, 10),
  ];
  assert.equal(lines(runs, WINDOW, undefined), [
    [9, 'Siren stopped after 4 min'],
    [9, 'Disarmed after 7 min'],
    [7, 'Door closed after 2 min'],
    [5, 'Siren rang'],
    [5, 'Door opened'],
    [2, 'Armed'],
  ]);
});

test('lost contact is listed with its return, and what changed meanwhile is marked', () => {
  const before = { ...run(0, 1), last: 1001 };
  const after = { ...run(31, 32, { armed: true }), first: 1002 };
  assert.equal(lines([before, after], WINDOW, undefined), [
    [31, 'Armed while out of contact'],
    [31, 'Contact back after 30 min'],
    [1, 'Contact lost'],
  ]);
});

test('says who armed and disarmed, and what rang, where that is known', () => {
  const runs = [
    run(0, 1),
    run(2, 4, { armed: true }),
    { ...run(5, 6, { armed: true, ringing: true }), alarm: ['window', 'front door'] },
    run(7, 8),
  ];
  const orders = [
    { at: T + 2 * MINUTE - 100, armed: true, by: "Anna's phone" },
    { at: T + 7 * MINUTE + 100, armed: false },
  ];
  assert.equal(lines(runs, WINDOW, undefined, orders), [
    [7, 'Siren stopped after 2 min'],
    [7, 'Disarmed at the door after 5 min'],
    [5, 'Siren rang: window, front door'],
    [2, "Armed by Anna's phone"],
  ]);
});

test('contact that is lost now is listed', () => {
  assert.equal(lines([run(0, 1)], WINDOW, T + 3 * MINUTE), [[3, 'Contact lost']]);
  assert.equal(lines([], WINDOW, T + 3 * MINUTE), []);
});

test('a duration that began before the record is not made up', () => {
  assert.equal(lines([run(0, 1, { armed: true }), run(2, 3)], WINDOW, undefined), [[2, 'Disarmed']]);
});

test('what was before the time that is looked at is left out', () => {
  const runs = [run(-9, -8), run(-7, -1, { armed: true }), run(0, 5, { armed: true, open: true })];
  assert.equal(lines(runs, WINDOW, undefined), [[0, 'Door opened']]);
});

test.run();
