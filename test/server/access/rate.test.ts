import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Allowance, Allowances } from '../../../server/access/rate.js';

const SECOND = 1000;

/** How many of so many tries, evenly spread over so many milliseconds, are let through. */
function passed(allowance: Allowance, tries: number, from: number, during: number): number {
  const times = Array.from({ length: tries }, (_, n) => from + (n * during) / tries);
  return times.filter((now) => allowance.take(now) === 0).length;
}

test('as many events as the burst may come at once, and not one more', () => {
  const allowance = new Allowance(10, 5);
  assert.is(passed(allowance, 100, 7, 0), 5);
});

test('after the burst events are allowed at the rate, however many are tried', () => {
  const allowance = new Allowance(10, 5);
  assert.is(passed(allowance, 10_000, 0, 60 * SECOND), 5 + 10 * 60 - 1);
});

test('a client that keeps to the rate never has to wait', () => {
  const allowance = new Allowance(7, 1);
  assert.is(passed(allowance, 700, 1e9, 100 * SECOND), 700);
});

test('the answer to a client over its rate says after how many milliseconds it may ask again', () => {
  const allowance = new Allowance(4, 2);
  assert.equal([allowance.take(0), allowance.take(0)], [0, 0]);
  assert.is(allowance.take(0), 250);
  assert.is(allowance.take(100), 150);
  assert.is(allowance.take(249), 1);
  assert.is(allowance.take(250), 0);
  assert.is(allowance.take(250), 250);
});

test('a pause fills the burst again and no more than that', () => {
  const allowance = new Allowance(10, 5);
  passed(allowance, 100, 0, 0);
  assert.is(passed(allowance, 100, 3600 * SECOND, 0), 5);
});

test('when the clock is set back, a client waits no longer than after a burst', () => {
  const allowance = new Allowance(10, 5);
  passed(allowance, 100, 3600 * SECOND, 0);
  assert.is(passed(allowance, 100, 0, 0), 5);
  assert.is(allowance.take(0), 100);
});

test('each key has its own allowance, and keeps it', () => {
  const allowances = new Allowances(1, 2, 10);
  const one = allowances.of('one');
  assert.is(passed(one, 9, 0, 0), 2);
  assert.is(allowances.of('one'), one);
  assert.is(passed(allowances.of('other'), 9, 0, 0), 2);
});

test('the keys asked for least recently are forgotten', () => {
  const allowances = new Allowances(1, 1, 2);
  const [one, two] = [allowances.of('one'), allowances.of('two')];
  assert.is(allowances.of('one'), one);
  allowances.of('three');
  assert.is(allowances.of('one'), one);
  assert.is.not(allowances.of('two'), two);
});

test.run();
