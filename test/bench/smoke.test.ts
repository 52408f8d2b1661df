import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { needs } from '../programs.js';
import { Bench } from './bench.js';
import { judge, type Row } from './row.js';
import { aedesLowdb } from './rows/aedes-lowdb.js';
import { atQos0, atQos1, tlsAtQos0, tlsAtQos1 } from './rows/inband-put.js';
import { tlsMemory } from './rows/memory.js';
import { restGet, restPut, tlsRestGet, tlsRestPut } from './rows/rest.js';
import { roundTrip } from './rows/round-trip.js';
import { tlsReturn, tlsReturnCut } from './rows/tls-return.js';
import { rowsNamed } from './rows.js';

const BRIEF = { seconds: 0.3, rounds: 1, progress: () => {} };

async function ratios(row: Row): Promise<(number | undefined)[]> {
  const bench = new Bench(BRIEF);
  try {
    const measurements = await row.run(bench);
    return measurements.map((measurement) => judge(measurement).ratio?.middle);
  } finally {
    await bench.close();
  }
}

const BESIDE_PEERS = [
  ...[atQos0, atQos1, aedesLowdb, roundTrip, restGet, restPut],
  ...[tlsAtQos0, tlsAtQos1, tlsReturn, tlsReturnCut, tlsRestGet, tlsRestPut, tlsMemory],
];

for (const row of BESIDE_PEERS) {
  needs(...row.needs)(`${row.name} gives the ratio of the real server to its peer`, async () => {
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

test.run();
