import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  TICKET_KEYS_FILE,
  TICKET_KEYS_SECONDS,
  type TicketKeys,
  ticketKeys,
} from '../../../server/tls/ticket-keys.js';
import { temporaryDirectory } from './authority.js';

const MADE = new Date('2026-05-04T03:02:01.000Z');
const LIFE_MS = 1000 * TICKET_KEYS_SECONDS;

interface Context {
  directory: string;
  file: string;
  clock: { now: Date };
  warnings: string[];
  /** The keys as a process finds them that starts now. */
  start(): TicketKeys;
}

const test = suite<Context>('keys of TLS sessions');

test.before.each((context) => {
  context.directory = join(temporaryDirectory(), 'tls');
  context.file = join(context.directory, TICKET_KEYS_FILE);
  const clock = { now: MADE };
  context.clock = clock;
  context.warnings = [];
  const log = pino({ level: 'info' }, { write: (line: string) => context.warnings.push(line) });
  const { directory } = context;
  context.start = () => ticketKeys({ directory, log, now: () => clock.now });
});

const later = (milliseconds: number): Date => new Date(MADE.getTime() + milliseconds);

test('they are made at the first start and kept in a file for the owner alone', async (context) => {
  const { file, start, warnings } = context;
  const keys = await start()();
  assert.is(keys.length, 48);
  assert.is(statSync(file).mode & 0o777, 0o600);
  assert.is(readFileSync(file, 'utf8'), `${MADE.toISOString()}\n${keys.toString('base64')}\n`);
  assert.equal(await start()(), keys);
  assert.equal(warnings, []);
});

test('they are renewed when they are too old, at the start and while the server runs', async (context) => {
  const { clock, start, warnings } = context;
  const running = start();
  const first = await running();
  clock.now = later(LIFE_MS - 1);
  assert.equal(await running(), first);
  assert.equal(await start()(), first);
  clock.now = later(LIFE_MS);
  const second = await running();
  assert.not.equal(second, first);
  assert.equal(await start()(), second);
  clock.now = later(2 * LIFE_MS);
  const third = await start()();
  assert.not.equal(third, second);
  assert.equal(warnings, []);
});

test('they are renewed when the clock was set back', async ({ clock, start }) => {
  const running = start();
  const first = await running();
  clock.now = later(-1);
  const second = await start()();
  assert.not.equal(second, first);
  assert.not.equal(await running(), first);
});

for (const [damage, change] of [
  ['is empty', () => ''],
  ['is cut', (text) => text.slice(0, -3)],
  ['has no time', (text) => text.replace(/^.*/, '')],
  ['holds something else', () => '{"keys":[]}'],
] as [string, (text: string) => string][]) {
  test(`they are made again when their file ${damage}, with one line in the log`, async (context) => {
    const { file, start, warnings } = context;
    const first = await start()();
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    const second = await start()();
    assert.not.equal(second, first);
    assert.is(warnings.length, 1);
    assert.match(warnings[0] ?? '', `${TICKET_KEYS_FILE} is damaged`);
    assert.not.match(warnings[0] ?? '', first.toString('base64').slice(0, 20));
    assert.equal(await start()(), second);
    assert.is(warnings.length, 1);
  });
}

test('they are used also when their file can be neither read nor written', async (context) => {
  const { file, start, warnings } = context;
  mkdirSync(file, { recursive: true });
  const running = start();
  const keys = await running();
  assert.is(keys.length, 48);
  assert.equal(await running(), keys);
  assert.is(warnings.length, 2);
});

test('a file that others could read is closed to them', async ({ file, start }) => {
  const keys = await start()();
  chmodSync(file, 0o644);
  assert.equal(await start()(), keys);
  assert.is(statSync(file).mode & 0o777, 0o600);
});

test.run();
