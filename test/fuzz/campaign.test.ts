import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { campaign, Harm } from './campaign.js';
import type { Fuzz } from './fuzz.js';
import { shorterLists } from './shrink.js';

const SEED = 3;
const FATAL = 7;

/** Numbers of which one kills the server. */
const numbers = (kill: (pid: number) => void): Fuzz<readonly number[]> => ({
  name: 'numbers',
  unit: 'numbers',
  atOnce: 4,
  make: (random) => random.some(6, () => random.below(40)),
  size: (input) => input.length,
  async attempt(input, { server }) {
    if (input.includes(FATAL)) kill(server.pid);
  },
  smaller: shorterLists,
  show: (input) => input.join(' '),
});

test('an input that kills the server is named, by itself and as small as it can be', async () => {
  const alarms: string[] = [];
  const fuzz = numbers((pid) => process.kill(pid, 'SIGKILL'));
  const options = { seed: SEED, index: 0, count: 200, seconds: 60 };
  try {
    await campaign(fuzz, { ...options, alarm: ({ message }) => alarms.push(message) });
    assert.unreachable('nothing was found');
  } catch (error) {
    assert.instance(error, Harm);
    const [command, ...rest] = (error as Harm).message.split('\n');
    assert.match(command ?? '', /^npm run fuzz -- numbers --seed 3 --index \d+ --count 1$/);
    assert.is(rest.at(-1), String(FATAL));
    assert.match(rest.join('\n'), 'SIGKILL');
  }
  assert.is(alarms.length, 1);
});

test('input that does no harm leaves a server that ends as it should', async () => {
  const report = await campaign(
    numbers(() => undefined),
    { seed: SEED, index: 5, count: 9, seconds: 60 },
  );
  assert.ok(report.units >= 9);
  assert.ok(report.rounds > 1);
});

test.run();
