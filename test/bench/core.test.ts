import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { signalAll } from '../cluster/postgres.js';
import { until } from '../until.js';
import { Bench } from './bench.js';
import { childrenSeconds } from './core.js';

test('the time of a process that was killed with its parent still counts as the own time of the bench', async () => {
  const bench = new Bench({ seconds: 1, rounds: 1, progress: () => {} });
  const parent = bench.start(['sh', '-c', 'while :; do :; done & wait'], { role: 'anywhere' });
  await until(() => childrenSeconds(parent.pid) > 0.3);
  const before = bench.ownSeconds;
  bench.countChildren(parent.pid);
  signalAll(parent.pid, 'SIGKILL');
  await parent.words();
  assert.ok(bench.ownSeconds >= before);
  await bench.close();
});

test.run();
