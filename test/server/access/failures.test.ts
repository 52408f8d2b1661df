import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FailedAttempts } from '../../../server/access/failures.js';
import { KnownClients } from '../../../server/access/known-clients.js';
import type { OtherServers } from '../../../server/access/other-servers.js';

const MINUTE = 60_000;
const SETTINGS = { authFailuresPerMinute: 10, authBlockMs: MINUTE, authBlockCeilingMs: 10 * MINUTE };

interface Context {
  clock: { now: number };
  failures: FailedAttempts;
}

const test = suite<Context>('failed attempts');

test.before.each((context) => {
  const clock = { now: 1000 };
  context.clock = clock;
  context.failures = new FailedAttempts(SETTINGS, () => clock.now);
});

function fail(failures: FailedAttempts, times: number, source = 'a'): void {
  for (let n = 0; n < times; n += 1) failures.failed(source);
}

test('the tenth failure in a minute blocks the source for a minute', ({ failures, clock }) => {
  fail(failures, 9);
  assert.is(failures.blockedMs('a'), 0);
  clock.now += MINUTE - 1;
  fail(failures, 1);
  assert.is(failures.blockedMs('a'), MINUTE);
  clock.now += MINUTE - 1;
  assert.is(failures.blockedMs('a'), 1);
  clock.now += 1;
  assert.is(failures.blockedMs('a'), 0);
});

test('fewer failures than that in any one minute never block, however long it goes on', ({
  failures,
  clock,
}) => {
  for (let n = 0; n < 1000; n += 1) {
    fail(failures, 1);
    clock.now += MINUTE / 9 + 1;
    assert.is(failures.blockedMs('a'), 0);
  }
});

test('another source is not blocked with it', ({ failures }) => {
  fail(failures, 1000, 'a');
  assert.is(failures.blockedMs('b'), 0);
});

test('each further failure blocks twice as long as the one before, up to the ceiling', ({
  failures,
  clock,
}) => {
  fail(failures, 10);
  const blocks = [];
  for (let n = 0; n < 6; n += 1) {
    blocks.push(failures.blockedMs('a') / MINUTE);
    clock.now += failures.blockedMs('a');
    fail(failures, 1);
  }
  assert.equal(blocks, [1, 2, 4, 8, 10, 10]);
});

test('failures while the source is blocked do not make the block longer', ({ failures, clock }) => {
  fail(failures, 10);
  clock.now += MINUTE / 2;
  fail(failures, 100);
  assert.is(failures.blockedMs('a'), MINUTE / 2);
});

test('a source that is quiet after a block for as long as the block lasted starts from zero', ({
  failures,
  clock,
}) => {
  fail(failures, 10);
  clock.now += MINUTE;
  fail(failures, 1);
  assert.is(failures.blockedMs('a'), 2 * MINUTE);
  clock.now += 4 * MINUTE;
  fail(failures, 9);
  assert.is(failures.blockedMs('a'), 0);
  fail(failures, 1);
  assert.is(failures.blockedMs('a'), MINUTE);
});

test('a client that was let in from a source is known there, and not at other sources', ({ failures }) => {
  failures.succeeded('a', 'panel');
  fail(failures, 100, 'a');
  assert.ok(failures.knows('a', 'panel'));
  assert.not.ok(failures.knows('b', 'panel'));
  assert.not.ok(failures.knows('a', 'lamp'));
});

test('a device that is known and wrong now blocks itself, and not the others behind its address', ({
  failures,
}) => {
  failures.succeeded('a', 'panel');
  for (let n = 0; n < 100; n += 1) failures.failed('a', 'panel');
  assert.is(failures.blockedMs('a', 'panel'), MINUTE);
  assert.equal([failures.blockedMs('a'), failures.blockedMs('a', 'lamp')], [0, 0]);
});

test('a device that is guessed at from other addresses is not blocked at its own', ({ failures }) => {
  for (const source of ['b', 'c', 'd']) {
    for (let n = 0; n < 100; n += 1) failures.failed(source, 'panel');
    assert.is(failures.blockedMs(source, 'panel'), MINUTE);
  }
  assert.is(failures.blockedMs('a', 'panel'), 0);
});

test('it is known from which sources anything was let in', ({ failures }) => {
  failures.succeeded('a', 'panel');
  assert.equal([failures.knowsAny('a'), failures.knowsAny('b')], [true, false]);
});

test('a success does not reset the failures of its source', ({ failures }) => {
  for (let n = 0; n < 10; n += 1) {
    failures.succeeded('a', 'panel');
    fail(failures, 1);
  }
  assert.is(failures.blockedMs('a'), MINUTE);
});

test('only a limited number of sources and names is remembered', ({ failures }) => {
  failures.succeeded('first', 'panel');
  fail(failures, 10, 'first');
  for (let n = 0; n < 20_000; n += 1) {
    failures.failed(`source ${n}`);
    failures.succeeded(`source ${n}`, 'panel');
  }
  assert.is(failures.blockedMs('first'), 0);
  assert.not.ok(failures.knows('first', 'panel'));
  assert.ok(failures.knows('source 19999', 'panel'));
});

/** Servers whose blocks are heard by each other in the same turn. */
function together(count: number, now: () => number): FailedAttempts[] {
  const heard: ((blocked: string, ms: number) => void)[] = [];
  return Array.from({ length: count }, (_, own) => {
    const others: OtherServers = {
      liveNodes: () => count,
      tellBlock: (blocked, ms) => {
        for (const [of, hear] of heard.entries()) if (of !== own) hear(blocked, ms);
      },
      onBlock: (hear) => heard.push(hear),
    };
    return new FailedAttempts(SETTINGS, now, new KnownClients(), others);
  });
}

test('three servers allow together no more failures than one, and a block of one is a block of all', ({
  clock,
}) => {
  const servers = together(3, () => clock.now);
  let guesses = 0;
  for (; servers.every((server) => server.blockedMs('a') === 0); guesses += 1) {
    servers[guesses % 3]?.failed('a');
  }
  assert.ok(guesses <= 10, `${guesses} guesses`);
  assert.equal(
    servers.map((server) => server.blockedMs('a')),
    [MINUTE, MINUTE, MINUTE],
  );
  assert.is(servers[0]?.blockedMs('b'), 0);
});

test('the next failure blocks for twice as long, also at a server that has only heard of the block', ({
  clock,
}) => {
  const [first, second] = together(2, () => clock.now);
  if (first === undefined || second === undefined) return assert.unreachable();
  fail(first, 5);
  clock.now += MINUTE;
  assert.equal([first.blockedMs('a'), second.blockedMs('a')], [0, 0]);
  fail(second, 1);
  assert.equal([first.blockedMs('a'), second.blockedMs('a')], [2 * MINUTE, 2 * MINUTE]);
});

test('a block that is heard of late makes no block shorter', ({ clock }) => {
  let hear: (blocked: string, ms: number) => void = () => assert.unreachable();
  const others = {
    liveNodes: () => 2,
    tellBlock: () => undefined,
    onBlock: (listener: typeof hear) => {
      hear = listener;
    },
  };
  const server = new FailedAttempts(SETTINGS, () => clock.now, new KnownClients(), others);
  fail(server, 5);
  hear('a', 1000);
  assert.is(server.blockedMs('a'), MINUTE);
  hear('b', 1000);
  assert.is(server.blockedMs('b'), 1000);
});

test('with more servers than a minute allows failures, the first failure at one of them blocks', ({
  clock,
}) => {
  const [server] = together(20, () => clock.now);
  assert.is(server?.blockedMs('a'), 0);
  server?.failed('a');
  assert.is(server?.blockedMs('a'), MINUTE);
});

test.run();
