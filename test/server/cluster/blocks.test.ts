/** A source that guesses at one server is blocked at all servers on the database. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FailedAttempts } from '../../../server/access/failures.js';
import { ask } from '../../cluster/postgres.js';
import { until } from '../../until.js';
import { type Peer, type PeersContext, withPeers } from './peers.js';

const tests = suite<PeersContext>('blocks of several servers');
const test = withPeers(tests);

const SOURCE = '203.0.113.7';
const BLOCK_MS = 60_000;

interface Guarded {
  readonly failures: FailedAttempts;
  /** Moves the clock of its blocks to so many milliseconds after the begin. */
  setTime(ms: number): void;
}

/** The wrong passwords at a server, which it counts by a clock of its own. */
function guard({ blocks, lease }: Peer): Guarded {
  let now = 0;
  const others = {
    liveNodes: () => lease.liveNodes,
    tellBlock: blocks.tell.bind(blocks),
    onBlock: blocks.onBlock.bind(blocks),
  };
  const failures = new FailedAttempts({ authBlockMs: BLOCK_MS }, () => now, undefined, others);
  return {
    failures,
    setTime(ms) {
      now = ms;
    },
  };
}

function guess({ failures }: Guarded, source: string): void {
  for (let count = 0; count < 10; count += 1) failures.failed(source);
}

test('a source that guesses at one server is blocked at another one, and the block ends', async ({
  start,
}) => {
  const [one, other] = [guard(await start()), guard(await start())];
  guess(one, SOURCE);
  assert.is(one.failures.blockedMs(SOURCE), BLOCK_MS);
  await until(() => other.failures.blockedMs(SOURCE) > 0);
  assert.is(other.failures.blockedMs(SOURCE), BLOCK_MS);
  assert.is(other.failures.blockedMs('203.0.113.8'), 0);
  other.setTime(BLOCK_MS - 1);
  assert.is(other.failures.blockedMs(SOURCE), 1);
  other.setTime(BLOCK_MS);
  assert.is(other.failures.blockedMs(SOURCE), 0);
});

test('a device that is known at a source is blocked there, whatever its name holds', async ({ start }) => {
  const [one, other] = [guard(await start()), guard(await start())];
  const blocked = 'fe80::1%eth0 a name, with spaces';
  guess(one, blocked);
  await until(() => other.failures.blockedMs(blocked) > 0);
});

test('a server that starts later knows how long each block still lasts', async ({
  database,
  setTime,
  start,
}) => {
  const one = guard(await start());
  guess(one, SOURCE);
  await until(async () => (await ask(database, 'SELECT count(*) FROM block')) === '1');
  await setTime(3000);
  const late = guard(await start());
  await until(() => late.failures.blockedMs(SOURCE) > 0);
  assert.is(late.failures.blockedMs(SOURCE), BLOCK_MS - 3000);
});

test('a block that is over is not said to a server that starts later, and its row goes', async ({
  database,
  setTime,
  start,
}) => {
  const first = await start();
  first.blocks.tell('short', 1000);
  first.blocks.tell(SOURCE, 3000);
  await until(async () => (await ask(database, 'SELECT count(*) FROM block')) === '2');
  await setTime(2000);
  const late = guard(await start());
  await until(() => late.failures.blockedMs(SOURCE) > 0);
  assert.is(late.failures.blockedMs('short'), 0);
  first.blocks.tell('next', 1000);
  await until(async () => (await ask(database, 'SELECT source FROM block ORDER BY 1')) === `${SOURCE}\nnext`);
});

test('a server that heard nothing for a while knows the blocks afterwards', async ({ network, start }) => {
  const proxy = await network();
  const [one, other] = [guard(await start()), guard(await start({ proxy }))];
  proxy.refuse(true);
  proxy.cut();
  guess(one, SOURCE);
  proxy.refuse(false);
  await until(() => other.failures.blockedMs(SOURCE) > 0);
});

test('a short block does not end a long one', async ({ database, setTime, start }) => {
  const one = await start();
  one.blocks.tell(SOURCE, 3000);
  one.blocks.tell(SOURCE, 1000);
  one.blocks.tell('last', 3000);
  await until(async () => (await ask(database, 'SELECT count(*) FROM block')) === '2');
  await setTime(2000);
  const late = guard(await start());
  await until(() => late.failures.blockedMs(SOURCE) > 0);
  assert.is(late.failures.blockedMs(SOURCE), 1000);
});

tests.run();
