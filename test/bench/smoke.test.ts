import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { needs } from '../programs.js';
import { Bench, type BenchOptions } from './bench.js';
import { judge, type Measurement, type Row } from './row.js';
import { aedesLowdb } from './rows/aedes-lowdb.js';
import { floors } from './rows/floor.js';
import { atQos0, atQos1, tlsAtQos0 } from './rows/inband-put.js';
import { tlsMemory } from './rows/memory.js';
import { node } from './rows/node.js';
import { restGet, restPut, tlsRestGet } from './rows/rest.js';
import { roundTrip } from './rows/round-trip.js';
import { syscalls } from './rows/syscalls.js';
import { tlsReturn, tlsReturnCut } from './rows/tls-return.js';
import { rowsNamed } from './rows.js';

const BRIEF = { seconds: 0.3, rounds: 1, progress: () => {} };

async function measurementsOf(row: Row, more: Partial<BenchOptions> = {}): Promise<Measurement[]> {
  const bench = new Bench({ ...BRIEF, ...more });
  try {
    return await row.run(bench);
  } finally {
    await bench.close();
  }
}

async function ratios(...row: Parameters<typeof measurementsOf>): Promise<(number | undefined)[]> {
  const measurements = await measurementsOf(...row);
  return measurements.map((measurement) => judge(measurement).ratio?.middle);
}

const BESIDE_PEERS = [
  ...[atQos0, atQos1, aedesLowdb, roundTrip, restGet, restPut],
  ...floors,
  ...[tlsAtQos0, tlsReturn, tlsReturnCut, tlsRestGet, tlsMemory],
];

for (const row of BESIDE_PEERS) {
  needs(...row.needs)(`${row.name} gives a ratio to its peer`, async () => {
    for (const ratio of await ratios(row))
      assert.ok(ratio !== undefined && ratio > 0 && Number.isFinite(ratio));
  });
}

for (const row of rowsNamed('fair-filters')) {
  test(`${row.name} gives the ratio of the household's answers to those without the attack`, async () => {
    for (const ratio of await ratios(row))
      assert.ok(ratio !== undefined && ratio > 0 && Number.isFinite(ratio));
  });
}

needs(...syscalls.needs)(
  'the system calls of a put are counted, its write and its fdatasync among them',
  async () => {
    const measurements = await measurementsOf(syscalls);
    const calls = measurements.filter(({ row }) => row.startsWith('syscalls-'));
    assert.is(calls.length, 2);
    for (const { server, notes } of calls) {
      for (const figure of server) assert.ok(figure > 0 && Number.isFinite(figure));
      for (const kind of ['write and writev', 'fdatasync'])
        assert.match(notes[0] ?? '', new RegExp(`${kind} [\\d.]*[1-9]`));
    }
  },
);

needs(...node.needs)('the server is measured on another Node.js beside the one that runs it', async () => {
  assert.equal(await ratios(node), []);
  const measured = await ratios(node, { nodes: [process.execPath] });
  assert.is(measured.length, 2);
  for (const ratio of measured) assert.ok(ratio !== undefined && ratio > 0 && Number.isFinite(ratio));
});

test.run();
