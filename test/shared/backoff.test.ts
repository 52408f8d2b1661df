import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BackOff } from '../../shared/backoff.js';

const WAITS = { backOffMin: 1000, backOffMax: 60_000 };
/** The longest wait that chance allows. */
const LONGEST = () => 1 - Number.EPSILON;

const waits = (backOff: BackOff, times: number): number[] =>
  Array.from({ length: times }, () => backOff.next());

test('the longest wait doubles each time, up to a limit', () => {
  assert.equal(
    waits(new BackOff(WAITS, LONGEST), 9),
    [999, 1999, 3999, 7999, 15_999, 31_999, 59_999, 59_999, 59_999],
  );
});

test('the shortest wait is none, so that not all come at once', () => {
  assert.equal(waits(new BackOff(WAITS, () => 0), 3), [0, 0, 0]);
});

test('a connection that outlived the longest wait begins anew', () => {
  const backOff = new BackOff(WAITS, LONGEST);
  waits(backOff, 5);
  backOff.stood(60_000);
  assert.is(backOff.next(), 999);
});

test('a connection that was dropped as soon as it stood does not', () => {
  const backOff = new BackOff(WAITS, LONGEST);
  waits(backOff, 2);
  backOff.stood(59_999);
  assert.is(backOff.next(), 3999);
});

const LOST = { ...WAITS, backOffLost: 30_000 };

test('after a connection that stood the first wait may be a longer one', () => {
  const backOff = new BackOff(LOST, LONGEST);
  assert.is(backOff.next(), 999);
  backOff.stood(60_000);
  assert.equal(waits(backOff, 3), [29_999, 59_999, 59_999]);
  backOff.reset();
  assert.is(backOff.next(), 999);
});

test('it does not shorten a wait that has become longer, and is no longer than the longest', () => {
  const backOff = new BackOff(LOST, LONGEST);
  waits(backOff, 9);
  backOff.stood(1);
  assert.is(backOff.next(), 59_999);
  const short = new BackOff({ backOffMin: 10, backOffMax: 50, backOffLost: 30_000 }, LONGEST);
  short.stood(100);
  assert.is(short.next(), 49);
});

test.run();
