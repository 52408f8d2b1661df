/**
 * The statement that writes a group of puts, by itself: one group after the other, and nothing around it. Reads a
 * {@link GroupedJob} from standard input and writes a {@link GroupedResult}.
 */

import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { parseAddress } from '../../../server/database-address.js';
import { type FileRules, NO_FILE, type Plan, valuesOf } from '../../../server/storage/postgres/group.js';
import { prepareDatabase } from '../../../server/storage/postgres/schema.js';
import { WRITE, type WriteRow } from '../../../server/storage/postgres/statements.js';
import type { StoredDocument } from '../../../server/storage/storage.js';
import type { GroupedJob, GroupedResult } from '../load/job.js';
import { percentile } from '../row.js';

const KEY = 'current';
const RULES: FileRules = { keepsPast: () => true, parentOf: () => undefined };
const SERVER = randomUUID();

const job: GroupedJob = JSON.parse(await text(process.stdin));
const {
  hosts: [primary],
  user,
  password,
  database,
} = parseAddress(job.database);
const client = new pg.Client({ ...primary, user, password, database, options: '-c synchronous_commit=on' });
await client.connect();
await prepareDatabase(client);

const data = JSON.stringify(JSON.parse(job.payload).data);
const files = Array.from({ length: job.documents }, () => ({
  name: `twins/${randomUUID()}`,
  born: { createdAt: new Date().toISOString(), tag: '0123456789ab' },
  base: NO_FILE,
}));
type File = (typeof files)[number];

function putOf({ name, born, base }: File): Plan {
  const version = (base.documents.get(KEY)?.version ?? 0) + 1;
  const document: StoredDocument = { version, born, updatedAt: new Date().toISOString(), data };
  return {
    name,
    base,
    documents: new Map([[KEY, document]]),
    calls: [],
    rest: [],
    answers: [],
    puts: [[KEY, document]],
    ended: new Set(),
    edits: 1,
    length: data.length,
  };
}

async function write(group: readonly File[]): Promise<void> {
  const plans = group.map(putOf);
  const values = valuesOf(plans, RULES, { id: randomUUID(), server: SERVER, isAgain: false });
  const { rows } = await client.query<WriteRow>({ ...WRITE, values });
  const written = new Map(rows.map((row) => [row.name, row.written]));
  for (const [index, file] of group.entries()) {
    const rev = written.get(file.name);
    if (rev === undefined || rev === null) throw new Error(`${file.name} was not written`);
    file.base = { rev: Number(rev), documents: plans[index]?.documents ?? new Map() };
  }
}

let next = 0;
function nextGroup(): File[] {
  const group = Array.from({ length: job.group }, (_, index) => files[(next + index) % files.length] as File);
  next = (next + job.group) % files.length;
  return group;
}

/** The milliseconds that each statement took. */
async function writeFor(seconds: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  for (let began = performance.now(); began < end; began = performance.now()) {
    await write(nextGroup());
    times.push(performance.now() - began);
  }
  return times;
}

await writeFor(job.warmUpSeconds);
const began = performance.now();
const times = await writeFor(job.seconds);
const seconds = (performance.now() - began) / 1000;
await client.end();
const puts = times.length * job.group;
const result: GroupedResult = {
  puts,
  rate: puts / seconds,
  p50: 1000 * percentile(times, 0.5),
  p99: 1000 * percentile(times, 0.99),
};
console.log(JSON.stringify(result));
