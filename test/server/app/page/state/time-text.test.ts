import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  agoText,
  clockText,
  DAY,
  durationText,
  exactText,
  weekdayText,
} from '../../../../../server/app/page/state/time-text.js';
import { HOUR, MINUTE, SECOND, T } from './world.js';

/** T is 13:00 there, on a Monday. */
const PARIS = { locale: 'en-GB', timeZone: 'Europe/Paris' };

const DURATIONS: [number, string][] = [
  [0, '0 s'],
  [59_999, '59 s'],
  [MINUTE, '1 min'],
  [59 * MINUTE + 59 * SECOND, '59 min'],
  [HOUR, '1 h'],
  [2 * HOUR + 5 * MINUTE, '2 h 5 min'],
  [47 * HOUR, '47 h'],
  [2 * DAY, '2 days'],
  [7 * DAY - 1, '6 days'],
];

for (const [duration, text] of DURATIONS) {
  test(`${duration} ms are ${text}`, () => assert.is(durationText(duration), text));
}

test('what was this second is just now, and so is what a fast clock puts into the future', () => {
  assert.is(agoText(T, T + 1999), 'just now');
  assert.is(agoText(T + MINUTE, T), 'just now');
  assert.is(agoText(T, T + 2000), '2 s ago');
  assert.is(agoText(T, T + 4 * DAY), '4 days ago');
});

test('a time of another day is shown with the day', () => {
  assert.is(clockText(T, T + HOUR, PARIS), '13:00');
  assert.is(clockText(T - DAY, T, PARIS), 'yesterday, 13:00');
  assert.is(clockText(T - 3 * DAY, T, PARIS), 'Fri 27 Feb, 13:00');
});

test('a day ends at midnight where the phone is', () => {
  const beforeMidnight = Date.parse('2026-03-02T22:59:59.000Z');
  assert.is(clockText(beforeMidnight, beforeMidnight + SECOND, PARIS), 'yesterday, 23:59');
  assert.is(clockText(beforeMidnight, beforeMidnight + SECOND, { ...PARIS, timeZone: 'UTC' }), '22:59');
});

test('the exact time has its seconds', () => {
  assert.is(exactText(T, PARIS), '2 Mar 2026, 13:00:00');
  assert.is(weekdayText(T, PARIS), 'Mon');
});

test.run();
