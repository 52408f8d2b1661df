import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serviceOf } from '../../server/service.js';
import { until } from '../until.js';

const EVERY_MS = 30;
const works = async (): Promise<void> => undefined;

interface Context {
  directory: string;
  /** What the stand-in for `systemd-notify` was called with, one message a line. */
  messages: () => string[];
  logged: string[];
  service: (more?: NodeJS.ProcessEnv) => ReturnType<typeof serviceOf>;
}

const test = suite<Context>('the service');
const { PATH = '' } = process.env;

test.before.each((context) => {
  const directory = mkdtempSync(join(tmpdir(), 'service-'));
  const file = join(directory, 'messages');
  writeFileSync(file, '');
  const notify = join(directory, 'systemd-notify');
  writeFileSync(notify, `#!/bin/sh\necho "$*" >> ${file}\n`);
  chmodSync(notify, 0o755);
  process.env.PATH = directory + delimiter + PATH;
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => logged.push(line) });
  Object.assign(context, {
    directory,
    logged,
    messages: () => readFileSync(file, 'utf8').trim().split('\n'),
    service: (more: NodeJS.ProcessEnv = {}) =>
      serviceOf({ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: `${2000 * EVERY_MS}`, ...more }, log),
  });
});
test.after.each(async ({ directory, service }) => {
  await service()?.stopping();
  process.env.PATH = PATH;
  rmSync(directory, { recursive: true, force: true });
});

const count = ({ messages }: Context, word: string): number =>
  messages().filter((message) => message.startsWith(word)).length;

test('is none where no service manager waits for messages', ({ service }) => {
  assert.is(service({ NOTIFY_SOCKET: '' }), undefined);
});

test('says that it serves, that it goes on, and that it stops, in this order', async (context) => {
  const service = context.service();
  await service?.ready(works);
  await until(() => count(context, 'WATCHDOG=1') >= 3);
  await service?.stopping();
  const words = context.messages().map((message) => message.split(' ')[0]);
  assert.is(words[0], 'READY=1');
  assert.is(words.at(-1), 'STOPPING=1');
  assert.equal([...new Set(words)], ['READY=1', 'WATCHDOG=1', 'STOPPING=1']);
});

test('a stop that comes while it says that it serves is the last that it says', async (context) => {
  const service = context.service();
  await Promise.all([service?.ready(works), service?.stopping()]);
  assert.match(context.messages().at(-1) ?? '', /^STOPPING=1/);
  assert.is(count(context, 'WATCHDOG=1'), 0);
});

test('says nothing to the watchdog while the server does not work, and why it does not', async (context) => {
  let isBroken = true;
  const service = context.service();
  await service?.ready(async () => {
    if (isBroken) throw new Error('storage unavailable');
  });
  await until(() => count(context, 'STATUS=does not work: storage unavailable') >= 2);
  assert.is(count(context, 'WATCHDOG=1'), 0);
  assert.match(context.logged.join(''), 'no proof for the watchdog');
  isBroken = false;
  await until(() => count(context, 'WATCHDOG=1') >= 2);
  await service?.stopping();
});

test('says nothing to the watchdog while a write does not come back', async (context) => {
  const service = context.service();
  await service?.ready(() => new Promise(() => undefined));
  await until(() => count(context, 'STATUS=does not work') >= 2);
  assert.is(count(context, 'WATCHDOG=1'), 0);
  await service?.stopping();
});

test('says nothing to the watchdog while the event loop hangs', async (context) => {
  const service = context.service();
  await service?.ready(works);
  await until(() => count(context, 'WATCHDOG=1') > 0);
  const before = count(context, 'WATCHDOG=1');
  const end = performance.now() + 20 * EVERY_MS;
  while (performance.now() < end);
  // One may have been on its way.
  assert.ok(count(context, 'WATCHDOG=1') <= before + 1);
  await service?.stopping();
});

test('does not answer a watchdog that is not there, or waits for another process', async (context) => {
  for (const more of [{ WATCHDOG_USEC: undefined }, { WATCHDOG_PID: '1' }]) {
    const service = context.service(more);
    let proofs = 0;
    await service?.ready(async () => {
      proofs += 1;
    });
    await service?.stopping();
    assert.is(proofs, 0);
  }
});

test('logs that systemd did not hear it, and goes on', async (context) => {
  process.env.PATH = '';
  const service = context.service({ WATCHDOG_USEC: undefined });
  await service?.ready(works);
  await service?.stopping();
  assert.match(context.logged[0] ?? '', 'systemd did not hear: READY=1, STATUS=serving');
  process.env.PATH = context.directory + delimiter + PATH;
});

test.run();
