import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Token, Tokens } from '../../../server/access/tokens.js';
import type { Devices, Revocation } from '../../../server/devices/devices.js';
import { OpenAnswers } from '../../../server/rest/open-answers.js';
import { until } from '../../until.js';

interface Context {
  revoke: (tokenId: string) => void;
  lose: (deviceId: string, why: Revocation) => void;
  /** How far this machine's clock is ahead of the storage's, in milliseconds. */
  aheadMs: number;
  open: (limits?: { perToken?: number; total?: number }) => OpenAnswers;
}

const test = suite<Context>('open answers');

test.before.each((context) => {
  const nothing = () => undefined;
  context.aheadMs = 0;
  const tokens: Pick<Tokens, 'watch' | 'leftMs'> = {
    leftMs: ({ expires_at }) => Date.parse(expires_at ?? '') - Date.now() + context.aheadMs,
    watch(watcher) {
      context.revoke = watcher;
      return nothing;
    },
  };
  const devices: Pick<Devices, 'watch'> = {
    watch(watcher) {
      context.lose = watcher;
      return nothing;
    },
  };
  context.open = (limits = {}) =>
    new OpenAnswers(tokens, devices, { what: 'streams', perToken: 100, total: 100, ...limits });
});

const tokenOf = (id: string, expires_at: string | null = null): Token => ({
  id,
  role: 'owner',
  description: '',
  twin_ids: null,
  created_at: '2026-03-01T00:00:00.000Z',
  expires_at,
});

interface Held {
  ended: number;
  release: () => void;
}

/** Holds an answer that is released when it must end, and says when it has. */
function hold(open: OpenAnswers, token: Token, deviceId = 'device'): Held {
  const answer: Held = { ended: 0, release: () => undefined };
  answer.release = open.hold(token, deviceId, () => {
    answer.ended += 1;
    answer.release();
  });
  return answer;
}

test('there are so many of one token, and so many in all', ({ open: openWith }) => {
  const open = openWith({ perToken: 2, total: 3 });
  const [a, b, c] = [tokenOf('a'), tokenOf('b'), tokenOf('c')];
  const first = hold(open, a);
  hold(open, a);
  assert.throws(() => hold(open, a), /too many streams/);
  hold(open, b);
  assert.throws(() => hold(open, c), /too many streams/);
  assert.is(open.size, 3);
  first.release();
  first.release();
  assert.is(open.size, 2);
  hold(open, c);
  assert.throws(() => hold(open, a), /too many streams/);
});

test('an eighth of all is kept for owners', ({ open: openWith }) => {
  const open = openWith({ total: 8 });
  const reader = (id: string): Token => ({ ...tokenOf(id), role: 'reader' });
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) hold(open, reader(id));
  assert.throws(() => hold(open, reader('h')), /too many streams/);
  hold(open, tokenOf('owner'));
  assert.throws(() => hold(open, tokenOf('owner')), /too many streams/);
});

test('when a token is revoked its answers end, and no others', (context) => {
  const open = context.open();
  const [a, b] = [hold(open, tokenOf('a')), hold(open, tokenOf('b'))];
  context.revoke('a');
  assert.equal([a.ended, b.ended, open.size], [1, 0, 1]);
});

test('when a device is deleted its answers end, but not when it is disabled', (context) => {
  const open = context.open();
  const [a, b] = [hold(open, tokenOf('a'), 'one'), hold(open, tokenOf('a'), 'other')];
  context.lose('one', 'disabled');
  context.lose('one', 'credentials');
  assert.equal([a.ended, b.ended], [0, 0]);
  context.lose('one', 'deleted');
  assert.equal([a.ended, b.ended], [1, 0]);
});

test('when a token expires its answers end', async ({ open: openWith }) => {
  const open = openWith();
  const soon = hold(open, tokenOf('a', new Date(Date.now() + 20).toISOString()));
  const past = hold(open, tokenOf('b', '2020-01-01T00:00:00.000Z'));
  assert.is(past.ended, 0, 'not before there is something to end');
  await until(() => soon.ended === 1 && past.ended === 1);
});

test('the clock of the storage says when a token expires', async (context) => {
  context.aheadMs = -3_600_000;
  const ended = hold(context.open(), tokenOf('a', new Date(Date.now() + 3_600_000).toISOString()));
  await until(() => ended.ended === 1);
});

test('a token that is valid for longer than a timer can wait ends no answer', async ({ open: openWith }) => {
  const open = openWith();
  const long = hold(open, tokenOf('a', new Date(Date.now() + 2 ** 31 + 1000).toISOString()));
  const short = hold(open, tokenOf('b', new Date(Date.now() + 20).toISOString()));
  await until(() => short.ended === 1);
  assert.is(long.ended, 0);
  long.release();
});

test('when all end, those that come later end too, once there is something to end', async ({
  open: openWith,
}) => {
  const open = openWith();
  const before = [hold(open, tokenOf('a')), hold(open, tokenOf('b'))];
  open.close();
  assert.equal(
    before.map(({ ended }) => ended),
    [1, 1],
  );
  const late = hold(open, tokenOf('a'));
  assert.is(late.ended, 0);
  await until(() => late.ended === 1);
  assert.is(open.size, 0);
});

test.run();
