/** Every kind of bad input, briefly; `npm run fuzz` goes on for as long as one likes. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FUZZES } from './fuzzes.js';

const SEED = 1;
const COUNTS: Record<string, number> = { mqtt: 10_000, http: 2000, json: 300, lives: 400 };

for (const [name, { unit, run }] of FUZZES) {
  const count = COUNTS[name] ?? 0;
  test(`${name}: ${count} ${unit} (seed ${SEED}) harm neither the server nor the client beside them`, async () => {
    const options = { seed: SEED, index: 0, count, seconds: Number.POSITIVE_INFINITY };
    const { units, rounds, slowestMs } = await run(options);
    console.log(`${name}: slowest of ${rounds} × 4 honest answers ${slowestMs.toFixed(1)} ms`);
    assert.ok(units >= count && count > 0);
    assert.ok(rounds > 1);
  });
}

test.run();
