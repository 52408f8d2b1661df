/** What the disk takes: appends to a file in the directory given and prints the median time of an fdatasync, in µs. */

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { spread } from '../row.js';

const TIMES = 1000;
/** About what the journal takes for one put. */
const RECORD = Buffer.alloc(300, 'x');

const file = openSync(join(process.argv[2] ?? '.', 'fdatasync.probe'), 'a');
const microseconds = Array.from({ length: TIMES }, () => {
  writeSync(file, RECORD);
  const began = performance.now();
  fdatasyncSync(file);
  return 1000 * (performance.now() - began);
});
closeSync(file);
console.log(spread(microseconds).middle);
