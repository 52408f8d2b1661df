import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Poll } from '../../../../../server/app/page/client/poll.js';
import { until } from '../../../../until.js';

const NEVER = 1e9;
const WAITS = { backOffMin: 1, backOffMax: 2 };

interface Look {
  answer: (isAnswered: boolean) => void;
}

/** A poll whose looks the test answers. */
function polling(pauseMs: number, longestMs = NEVER, waits = WAITS) {
  const looks: Look[] = [];
  const away: number[] = [];
  const more = { longestWait: () => longestMs, onAway: (retryAt: number) => away.push(retryAt) };
  const look = () => new Promise<boolean>((answer) => looks.push({ answer }));
  return { looks, away, poll: new Poll(look, () => pauseMs, { ...waits, ...more }) };
}

test('looks at once, and again after the pause', async () => {
  const { looks, poll } = polling(1);
  assert.is(looks.length, 1);
  looks[0]?.answer(true);
  await until(() => looks.length === 2);
  poll.end();
});

test('without an answer it backs off instead', async () => {
  const { looks, poll } = polling(NEVER);
  for (const count of [2, 3, 4]) {
    looks.at(-1)?.answer(false);
    await until(() => looks.length === count);
  }
  poll.end();
});

test('without an answer it waits no longer than the longest wait, and says until when', async () => {
  const { looks, away, poll } = polling(NEVER, 1, { backOffMin: NEVER, backOffMax: NEVER });
  for (const count of [2, 3, 4]) {
    looks.at(-1)?.answer(false);
    await until(() => looks.length === count);
  }
  poll.end();
  assert.is(away.length, 3);
  assert.ok(away.every((retryAt) => retryAt <= Date.now() + 1));
});

test('looks at once when it is asked to, but only once at a time', async () => {
  const { looks, poll } = polling(NEVER);
  poll.now();
  assert.is(looks.length, 1);
  looks[0]?.answer(true);
  await new Promise((turn) => setImmediate(turn));
  poll.now();
  assert.is(looks.length, 2);
  poll.end();
});

test('does not look any more when it has ended', async () => {
  const { looks, poll } = polling(1);
  poll.end();
  looks[0]?.answer(true);
  await new Promise((turn) => setImmediate(turn));
  poll.now();
  assert.is(looks.length, 1);
});

test.run();
