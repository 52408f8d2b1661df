import { pino } from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Check, isReady, Readiness, readinessMetrics } from '../../server/readiness.js';
import { until } from '../until.js';

/** One check, which the test changes. */
function withCheck(limits: ConstructorParameters<typeof Readiness>[0] = {}) {
  const readiness = new Readiness(limits);
  const state: { check: Check } = { check: { name: 'lease', ok: true } };
  readiness.add(() => state.check);
  return { readiness, state };
}

const numberOf = (readiness: Readiness, name: string) =>
  readinessMetrics(readiness)
    .find((metric) => metric.name === name)
    ?.read();

test('a server is ready while all its checks are right', () => {
  const { readiness, state } = withCheck();
  assert.ok(isReady(readiness.checks));
  assert.is(numberOf(readiness, 'twin_ready'), 1);
  state.check = { name: 'lease', ok: false };
  assert.not.ok(isReady(readiness.checks));
  assert.is(numberOf(readiness, 'twin_ready'), 0);
  assert.equal(
    numberOf(readiness, 'twin_ready_check'),
    new Map([
      ['running', 1],
      ['lease', 0],
    ]),
  );
});

test('with a warning the server is ready all the same', () => {
  const { readiness, state } = withCheck();
  assert.equal(
    numberOf(readiness, 'twin_warning'),
    new Map([
      ['one_disk', 0],
      ['clock_off', 0],
    ]),
  );
  state.check = { name: 'standby', ok: true, warning: 'one_disk' };
  assert.ok(isReady(readiness.checks));
  assert.equal(readiness.warnings, ['one_disk']);
  assert.equal(
    numberOf(readiness, 'twin_warning'),
    new Map([
      ['one_disk', 1],
      ['clock_off', 0],
    ]),
  );
});

test('the log says once when a check fails, when a warning begins, and when they are over', async () => {
  const { readiness, state } = withCheck({ lookMs: 1 });
  const lines: { msg: string; check?: string; warning?: string }[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const end = readiness.log(log);
  assert.equal(lines, []);
  state.check = { name: 'lease', ok: false, warning: 'one_disk' };
  await until(() => lines.length === 2);
  state.check = { name: 'lease', ok: true };
  await until(() => lines.length === 4);
  end();
  assert.equal(
    lines.map(({ msg, check, warning }) => [check ?? warning, msg]),
    [
      ['lease', 'not ready'],
      ['one_disk', 'an acknowledgement is one disk only: no standby of the database has to have the write'],
      ['lease', 'ready again'],
      ['one_disk', 'the warning is over'],
    ],
  );
});

test('a server that stops is not ready first, for as long as its balancer needs to see it', async () => {
  const { readiness } = withCheck({ drainMs: 1 });
  assert.ok(isReady(readiness.ask()));
  const drained = readiness.drain();
  assert.not.ok(isReady(readiness.ask()));
  await drained;
});

test('a server that no balancer asks stops at once', async () => {
  const never = 2 ** 31 - 1;
  await withCheck({ drainMs: never }).readiness.drain();
  const { readiness } = withCheck({ drainMs: never, watchedMs: -1 });
  readiness.ask();
  await readiness.drain();
});

test.run();
