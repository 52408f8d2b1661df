/**
 * Does harm. Reads an {@link AttackJob} as the first line of standard input and prints `prepared`. The next line begins the
 * attack, and one more ends it: then it prints what it counted, as JSON.
 */

import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { ATTACKS } from '../attack/attacks.js';
import { ADDRESSES, type AttackJob } from '../attack/scene.js';

// The household runs on the same core, and is what is measured.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async (): Promise<string> => (await lines.next()).value ?? '';

const job: AttackJob = JSON.parse(await line());
const attack = ATTACKS[job.attack];
if (attack === undefined) throw new Error(`no attack ${job.attack}`);

let counted: Record<string, number> = {};
const count = (what: string, times = 1): void => {
  counted[what] = (counted[what] ?? 0) + times;
};

const begin = await attack.prepare({ ...job, from: ADDRESSES[attack.from], count });
console.log('prepared');
await line();
counted = {};
begin();
await line();
console.log(JSON.stringify(counted));
process.exit();
