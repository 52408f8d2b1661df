/** The rows `cluster-…`, each for a moment. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { needs } from '../programs.js';
import { Bench } from './bench.js';
import { judge, type Measurement, type Row } from './row.js';
import { faultsOf } from './rows/cluster-conflicts.js';
import { rowsNamed } from './rows.js';

async function measurementsOf(row: Row): Promise<Measurement[]> {
  const bench = new Bench({ seconds: 0.3, rounds: 1, progress: () => {} });
  try {
    return await row.run(bench);
  } finally {
    await bench.close();
  }
}

for (const row of rowsNamed('cluster')) {
  needs(...row.needs)(`${row.name} gives figures of servers on PostgreSQL, and finds no fault`, async () => {
    const measurements = await measurementsOf(row);
    assert.ok(measurements.length > 0);
    for (const measurement of measurements) {
      const { server, ratio = server } = judge(measurement);
      for (const { middle } of [server, ratio]) assert.ok(middle > 0 && Number.isFinite(middle));
      assert.equal(measurement.faults ?? [], []);
    }
  });
}

test('the writers on one document find what is lost, written twice or made out of nothing', () => {
  const right = { first: 10, last: 30, accepted: 20, versions: 20, doubtful: 0 };
  assert.equal(faultsOf(right), []);
  assert.match(faultsOf({ ...right, last: 29 }).join(), '1 accepted puts are lost');
  assert.match(
    faultsOf({ ...right, versions: 18 }).join(),
    '2 accepted puts have the version of another one',
  );
  assert.match(faultsOf({ ...right, last: 31 }).join(), '1 puts were made');
  assert.equal(faultsOf({ ...right, last: 31, doubtful: 1 }), []);
});

test.run();
