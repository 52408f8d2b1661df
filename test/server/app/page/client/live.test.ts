import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failed } from '../../../../../server/app/page/client/api.js';
import { type EventReader, Live } from '../../../../../server/app/page/client/live.js';
import type { Fault } from '../../../../../server/app/page/state/fault.js';
import { until } from '../../../../until.js';

/** What the server would do at the next attempts to connect: refuse, or serve. */
type Attempt = Fault | 'served';

interface Opened {
  id: string;
  signal: AbortSignal;
  say: (text: string) => void;
  end: () => void;
}

interface Bench {
  live: Live;
  /** Every event, in order. */
  told: string[];
  opened: Opened[];
  attempts: Attempt[];
}

const test = suite<Bench>('the live connection');

const encoder = new TextEncoder();

function bench(reader: Partial<EventReader> = {}): Bench {
  const [told, opened, attempts]: [string[], Opened[], Attempt[]] = [[], [], []];
  const open = async (id: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> => {
    const attempt = attempts.shift() ?? 'served';
    if (attempt !== 'served') throw new Failed(attempt);
    return new ReadableStream<Uint8Array>({
      start(controller) {
        signal.addEventListener('abort', () => controller.error(signal.reason));
        opened.push({
          id,
          signal,
          say: (text) => controller.enqueue(encoder.encode(text)),
          end: () => controller.close(),
        });
      },
    });
  };
  const live = new Live({
    open,
    backOffMin: 1,
    backOffMax: 2,
    silenceMs: 60_000,
    answerMs: 60_000,
    longestWait: () => 60_000,
    onLink: (kind) => told.push(kind),
    onEvent: (id, kind, data) => told.push(`${id} ${kind} ${data}`),
    onRefused: (fault) => told.push(fault),
    ...reader,
  });
  return { live, told, opened, attempts };
}

test.before.each((context) => {
  Object.assign(context, bench());
});
test.after.each(({ live }) => live.follow(undefined));

const isLive = ({ told }: Bench) => until(() => told.at(-1) === 'live');

test('tells the events as they come, whatever parts they come in', async (context) => {
  const { live, told, opened } = context;
  live.follow('front');
  await isLive(context);
  opened[0]?.say('event: presence\nid: 1\nda');
  opened[0]?.say('ta: {"é":1}\n\n:\n\nevent: document\ndata: {}\n\n');
  await until(() => told.length === 4);
  assert.equal(told, ['connecting', 'live', 'front presence {"é":1}', 'front document {}']);
});

test('has one connection, whichever panel it follows', async (context) => {
  const { live, opened } = context;
  live.follow('front');
  live.follow('front');
  await isLive(context);
  live.follow('back');
  await until(() => opened.length === 2);
  assert.ok(opened[0]?.signal.aborted);
  assert.equal(
    opened.map(({ id }) => id),
    ['front', 'back'],
  );
  live.follow(undefined);
  assert.ok(opened[1]?.signal.aborted);
});

test('comes back by itself when the server ends it', async (context) => {
  const { live, told, opened } = context;
  live.follow('front');
  await isLive(context);
  opened[0]?.end();
  await until(() => opened.length === 2);
  await isLive(context);
  assert.equal(told, ['connecting', 'live', 'connecting', 'live']);
});

test('tries again and again while the server is away, and says so', async (context) => {
  const { live, told, attempts } = context;
  attempts.push('server-away', 'storage-full', 'too-many');
  live.follow('front');
  await isLive(context);
  assert.equal(told, [
    'connecting',
    'lost',
    'connecting',
    'lost',
    'connecting',
    'lost',
    'connecting',
    'live',
  ]);
});

for (const fault of ['revoked', 'expired', 'not-allowed', 'panel-unknown'] as const) {
  test(`does not ask again after ${fault}`, async ({ live, told, attempts }) => {
    attempts.push(fault);
    live.follow('front');
    await until(() => told.includes(fault));
    live.wake();
    await new Promise((turn) => setImmediate(turn));
    assert.equal(told, ['connecting', fault]);
  });
}

test('gives up a connection on which nothing comes, and makes another', async () => {
  const { live, told, opened } = bench({ silenceMs: 20 });
  live.follow('front');
  await until(() => opened.length === 2);
  assert.ok(opened[0]?.signal.aborted);
  assert.equal(told.slice(0, 3), ['connecting', 'live', 'connecting']);
  live.follow(undefined);
});

test('a phone that wakes does not wait for the next attempt', async () => {
  const context = bench({ backOffMin: 1e9, backOffMax: 1e9 });
  context.attempts.push('server-away');
  context.live.follow('front');
  await until(() => context.told.at(-1) === 'lost');
  context.live.wake();
  await isLive(context);
  context.live.follow(undefined);
});

test('gives up a try that is not answered, and says when the next one is', async () => {
  const told: (number | undefined)[] = [];
  const context = bench({
    answerMs: 5,
    backOffMin: 1e9,
    backOffMax: 1e9,
    longestWait: () => 1,
    open: (_, signal) =>
      new Promise((_, refuse) => signal.addEventListener('abort', () => refuse(signal.reason))),
    onLink: (kind, _, retryAt) => {
      if (kind === 'lost') told.push(retryAt);
    },
  });
  context.live.follow('front');
  await until(() => told.length === 3);
  context.live.follow(undefined);
  for (const retryAt of told) assert.ok(retryAt !== undefined && retryAt <= Date.now() + 1);
});

test('a phone that wakes keeps a connection that has just spoken', async () => {
  const alive = bench();
  alive.live.follow('front');
  await isLive(alive);
  alive.live.wake();
  assert.not(alive.opened[0]?.signal.aborted);
  alive.live.follow(undefined);
});

test.run();
