import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judge, type Measurement, percentile, spread } from './row.js';
import { rowsNamed } from './rows.js';

const measured = (more: Partial<Measurement>): Measurement => ({
  row: 'row',
  what: '',
  unit: 'req/s',
  server: [60, 90, 66],
  notes: [],
  ...more,
});
const peer = { name: 'peer', figures: [100, 100, 110] };

test('the middle is the median, between the two middle ones when their number is even', () => {
  assert.equal(spread([3, 1, 2]), { middle: 2, least: 1, greatest: 3 });
  assert.equal(spread([4, 1, 2, 3]), { middle: 2.5, least: 1, greatest: 4 });
  assert.throws(() => spread([]), /no figures/);
});

test('the percentile is a figure that there is', () => {
  const figures = Array.from({ length: 200 }, (_, index) => 200 - index);
  assert.is(percentile(figures, 0.99), 198);
  assert.is(percentile([7], 0.99), 7);
  assert.throws(() => percentile([], 0.5), /no figures/);
});

test('the ratio is that of each round, not that of all rounds together', () => {
  const { ratio } = judge(measured({ peer }));
  assert.equal(ratio, { middle: 0.6, least: 0.6, greatest: 0.9 });
});

test('a bar is judged by the median of the ratios', () => {
  const met = (limit: number, relation: '>=' | '<=') =>
    judge(measured({ peer, bar: { relation, limit, on: 'ratio' } })).met;
  assert.is(met(0.6, '>='), true);
  assert.is(met(0.61, '>='), false);
  assert.is(met(0.6, '<='), true);
  assert.is(met(0.59, '<='), false);
});

test('a bar on the greatest figure is judged by it', () => {
  const bar = { relation: '<=', limit: 80, on: 'server' } as const;
  assert.is(judge(measured({ bar })).met, true);
  assert.is(judge(measured({ bar, counts: 'greatest' })).met, false);
});

test('a row with a fault is not met, whatever its figures', () => {
  const bar = { relation: '>=', limit: 60, on: 'server' } as const;
  assert.is(judge(measured({ bar, faults: [] })).met, true);
  assert.is(judge(measured({ bar, faults: ['the server died'] })).met, false);
});

test('a name stands for its row, or for all rows that begin with it', () => {
  const names = (name: string) => rowsNamed(name).map((row) => row.name);
  assert.equal(names('inband-put'), ['inband-put']);
  assert.equal(names('rest'), ['rest-get', 'rest-put']);
  assert.equal(names('fai'), []);
});

test('a row without a bar is not judged', () => {
  assert.is(judge(measured({ peer })).met, undefined);
});

test.run();
