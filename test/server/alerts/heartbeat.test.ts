import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startHeartbeat } from '../../../server/alerts/heartbeat.js';
import { alone } from '../../../server/leadership.js';
import { until } from '../../until.js';
import { elected } from '../elected.js';
import { type Receiver, startReceiver } from './receiver.js';

const test = suite<{ receiver: Receiver; warnings: string[] }>('the heartbeat');

test.before.each(async (context) => {
  context.receiver = await startReceiver();
  context.warnings = [];
});
test.after.each(({ receiver }) => receiver.close());

/** Beats every 5 ms. */
const beatTo = (
  { receiver, warnings }: { receiver: Receiver; warnings: string[] },
  prove: () => Promise<void>,
  leadership = alone,
): (() => void) =>
  startHeartbeat({
    url: `${receiver.url}/beat`,
    prove,
    leadership,
    log: pino({ level: 'warn' }, { write: (line: string) => warnings.push(JSON.parse(line).reason) }),
    limits: { everyMs: 5, proofMs: 20 },
  });

test('the URL is asked again and again while the server works', async (context) => {
  const end = beatTo(context, async () => undefined);
  await context.receiver.count(3);
  end();
  const [first] = context.receiver.received;
  assert.equal([first?.method, first?.path], ['GET', '/beat']);
});

test('it stops while the storage takes no writes, and goes on when it does', async (context) => {
  let isBroken = true;
  const end = beatTo(context, async () => {
    if (isBroken) throw new Error('storage unavailable');
  });
  await until(() => context.warnings.includes('storage unavailable'));
  assert.is(context.receiver.received.length, 0);
  isBroken = false;
  await context.receiver.count(1);
  end();
});

test('it stops while the alerts hang', async (context) => {
  const end = beatTo(context, () => new Promise(() => undefined));
  await until(() => context.warnings.length >= 3);
  end();
  assert.is(context.receiver.received.length, 0);
  assert.is(context.warnings[0], 'the server has not done its work within 0.02 s');
});

test('an answer that is an error is logged', async (context) => {
  context.receiver.replies.push({ status: 404 });
  const end = beatTo(context, async () => undefined);
  await until(() => context.warnings.includes('status 404'));
  end();
});

test('a server that does not lead proves nothing and is silent', async (context) => {
  const leadership = elected();
  const proofs: number[] = [];
  const end = beatTo(context, async () => void proofs.push(1), leadership);
  assert.equal(proofs, []);
  leadership.lead(true);
  await context.receiver.count(2);
  end();
});

test.run();
