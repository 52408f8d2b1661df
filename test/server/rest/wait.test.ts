import { request } from 'node:http';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agrees, outcomeOf } from '../../../server/rest/wait.js';
import { type Json, type JsonObject, mergePatch } from '../../../shared/document.js';
import { until } from '../../until.js';
import { type Answer, type Ask, BASE, startTestRest, type TestLimits, type TestRest } from './rest.js';

interface Context {
  rest: TestRest;
  id: string;
  twin: string;
  /** Asks for what is desired, and waits. */
  desire: (data: object, seconds?: unknown, ask?: Ask & { method?: string }) => Promise<Answer>;
  /** What the panel says. */
  report: (data: JsonObject) => void;
}

const test = suite<Context>('waiting for the panel');

test.before.each((context) => begin(context));
test.after.each(({ rest }) => rest.close());

async function begin(context: Context, limits: Partial<TestLimits> = {}): Promise<void> {
  const rest = await startTestRest({ stopMs: 50, ...limits });
  context.rest = rest;
  context.id = (await rest.newDevice()).id;
  context.twin = `/twins/${context.id}`;
  const { id, twin } = context;
  context.desire = (data, seconds = 30, { method = 'PUT', ...ask } = {}) =>
    rest.ask(method, `${twin}/documents/desired?wait=${seconds}`, { body: { data }, ...ask });
  context.report = (data) => rest.twins.put(id, 'current', { version: 0, data }, () => undefined);
}

const restartWith = async (context: Context, limits: Partial<TestLimits>): Promise<void> => {
  await context.rest.close();
  await begin(context, limits);
};

/** Resolves when this version of what is desired is there, as the panel would hear of it. */
const written = ({ rest, twin }: Context, version: number): Promise<void> =>
  until(async () => (await rest.ask('GET', `${twin}/documents/desired`)).body.version === version);

test('a write is answered when the panel says that it has followed, with the document', async (context) => {
  const { rest, twin, desire, report } = context;
  report({ alarm_armed: false, door_open: false });
  const waiting = desire({ alarm_armed: true });
  await written(context, 1);
  report({ alarm_armed: false, door_open: true });
  report({ alarm_armed: true, door_open: true });
  const answer = await waiting;
  assert.is(answer.status, 200);
  const { applied, ...document } = answer.body;
  assert.is(applied, true);
  const read = await rest.ask('GET', `${twin}/documents/desired`);
  assert.equal(document, read.body);
  assert.is(answer.headers.get('etag'), read.headers.get('etag'));
});

test('a patch waits for the keys that it names', async (context) => {
  const { desire, report } = context;
  await desire({ alarm_armed: true, volume: 3 }, 0);
  report({ alarm_armed: false, volume: 9 });
  const waiting = desire({ alarm_armed: false, melody: null }, 30, { method: 'PATCH' });
  const answer = await waiting;
  assert.equal([answer.status, answer.body.applied, answer.body.version], [200, true, 2]);
  assert.equal(answer.body.data, { alarm_armed: false, volume: 3 });
});

test('a panel that says so already is not waited for', async ({ desire, report }) => {
  report({ alarm_armed: true });
  assert.is((await desire({ alarm_armed: true })).body.applied, true);
});

test('keys that the panel does not report are not waited for', async ({ desire, report }) => {
  report({ alarm_armed: true, door_open: false });
  const answer = await desire({ alarm_armed: true, melody: 'chime', request: 'r1' });
  assert.equal([answer.status, answer.body.applied], [200, true]);
});

test('a panel that refuses ends the wait at once, and the answer says its reason', async (context) => {
  const { desire, report } = context;
  report({ alarm_armed: false });
  const waiting = desire({ alarm_armed: true });
  await written(context, 1);
  const refused = { reason: 'open', contacts: ['window'] };
  report({ alarm_armed: false, handled: 1, refused });
  const { status, body } = await waiting;
  assert.equal([status, body.applied, body.refused, body.version], [202, false, refused, 1]);
});

test('a panel that cannot apply a write ends the wait at once, and the answer says its fault', async (context) => {
  const { desire, report } = context;
  const waiting = desire({ alarm_armed: true });
  await written(context, 1);
  report({ alarm_armed: false, handled: 1, fault: 'flash' });
  const { status, body } = await waiting;
  assert.equal([status, body.applied, body.fault], [202, false, 'flash']);
});

test('a refusal of a document that was deleted since says nothing of the new one', async (context) => {
  const { rest, twin, desire, report } = context;
  report({ alarm_armed: false, handled: 9, refused: { reason: 'open' } });
  await until(() => {
    const started = Date.now();
    return rest
      .ask('GET', `${twin}/documents/current`)
      .then(({ body }) => Date.parse(body.updated_at) < started);
  });
  const waiting = desire({ alarm_armed: true });
  await written(context, 1);
  report({ alarm_armed: true, handled: 1 });
  assert.is((await waiting).body.applied, true);
});

const REFUSED = { reason: 'open' };
const OUTCOMES: [what: string, written: JsonObject, report: JsonObject, outcome: object | undefined][] = [
  ['it has what was written', { alarm_armed: true }, { alarm_armed: true }, { applied: true }],
  ['it has something else', { alarm_armed: true }, { alarm_armed: false }, undefined],
  ['it has no mode yet', { alarm_armed: true, mode: 'home' }, { alarm_armed: true }, undefined],
  [
    'it is in the default mode, which the write asks for by removing the mode',
    { alarm_armed: true, mode: null },
    { alarm_armed: true, mode: 'away' },
    { applied: true },
  ],
  [
    'it is in another mode',
    { alarm_armed: true, mode: null },
    { alarm_armed: true, mode: 'home' },
    undefined,
  ],
  ['it has no modes', { alarm_armed: true, mode: null }, { alarm_armed: true }, { applied: true }],
  [
    'its exit delay runs',
    { alarm_armed: true },
    { alarm_armed: true, state: 'arming' },
    { applied: true, state: 'arming' },
  ],
  ['a key that no panel reports', { alarm_armed: true, x: 1 }, { alarm_armed: true }, { applied: true }],
  ['a key of its own', { alarm_armed: true, x: 1 }, { alarm_armed: true, x: 2 }, undefined],
  ['only keys that no panel reports', { x: 1 }, { alarm_armed: true }, undefined],
  ['those, and it has handled the version', { x: 1 }, { handled: 2 }, { applied: true }],
  ['those, and it has handled the version before', { x: 1 }, { handled: 1 }, undefined],
  [
    'it refused this version',
    { x: 1 },
    { handled: 2, refused: REFUSED },
    { applied: false, refused: REFUSED },
  ],
  ['it refused the version before', { alarm_armed: true }, { handled: 1, refused: REFUSED }, undefined],
  [
    'it refused a part',
    { alarm_armed: true, bypass: ['x'] },
    { alarm_armed: true, handled: 3, refused: REFUSED },
    { applied: false, refused: REFUSED },
  ],
  [
    'a fault that has not kept it from following',
    { alarm_armed: true },
    { alarm_armed: true, handled: 2, fault: 'clock' },
    { applied: true },
  ],
  ['a fault before it has handled it', { alarm_armed: true }, { handled: 1, fault: 'clock' }, undefined],
];

for (const [what, wanted, reported, outcome] of OUTCOMES) {
  test(`what a report says of a write, version 2: ${what}`, () => {
    assert.equal(outcomeOf(wanted, reported, 2), outcome);
  });
}

test('when the time is over the write is durable and not applied', async ({ desire, report }) => {
  report({ alarm_armed: false });
  const answer = await desire({ alarm_armed: true }, 1);
  assert.is(answer.status, 202);
  assert.is(answer.body.applied, false);
  assert.is(answer.body.version, 1);
  assert.match(answer.headers.get('etag') ?? '', /^"1-/);
});

test('to wait for no time tells whether the panel says so now', async ({ desire, report }) => {
  assert.is((await desire({ alarm_armed: true }, 0)).status, 202, 'a panel that never said anything');
  report({ alarm_armed: true });
  assert.is((await desire({ alarm_armed: true }, 0)).status, 200);
  assert.is((await desire({ alarm_armed: false }, 0)).status, 202);
});

test('a refused write does not wait', async ({ rest, twin, desire }) => {
  const outdated = await desire({}, 30, { body: { version: 7, data: {} } });
  assert.equal([outdated.status, outdated.body.actual_version], [400, 0]);
  assert.is((await desire({}, 30, { headers: { 'If-Match': '*' } })).status, 412);
  assert.is((await desire({}, 30, { method: 'PATCH' })).status, 404);
  rest.storage.failWith(new Error('disk full'));
  assert.is((await desire({ alarm_armed: true })).status, 503);
  rest.storage.failWith(undefined);
  assert.is((await rest.ask('GET', `${twin}/documents/desired`)).status, 404);
});

test('only a write of desired can wait, and at most so long', async ({ rest, twin, desire }) => {
  for (const seconds of ['-1', '31', 'x', '', '1.5', '1e1', '0x1', ' 1', '99999999999999999999']) {
    const answer = await desire({}, encodeURIComponent(seconds));
    assert.is(answer.status, 400, seconds);
    assert.is(answer.body.details[0].argument_name, 'wait');
  }
  for (const method of ['PUT', 'PATCH']) {
    const answer = await rest.ask(method, `${twin}/documents/other?wait=1`, { body: { data: {} } });
    assert.is(answer.status, 400);
    assert.is(answer.body.details[0].argument_name, 'wait');
  }
  assert.equal((await rest.ask('GET', twin)).body.documents, []);
});

test('a shorter longest time is a setting', async (context) => {
  await restartWith(context, { waitSeconds: 2 });
  assert.is((await context.desire({}, 3)).status, 400);
});

test('those that wait are so many, and one too many has written nothing', async (context) => {
  await restartWith(context, { waits: 2 });
  const { rest, desire, report } = context;
  const waiting = [desire({ n: 1 }), desire({ n: 1 })];
  await written(context, 2);
  const refused = await desire({ n: 3 });
  assert.is(refused.status, 429);
  assert.is(refused.body.limit.quota, 2);
  assert.is((await rest.ask('GET', `${context.twin}/documents/desired`)).body.version, 2);
  report({ n: 1 });
  for (const answer of await Promise.all(waiting)) assert.is(answer.status, 200);
  assert.is((await desire({ n: 1 })).status, 200, 'there is room again');
});

test('the waits of one token are so many, and leave room for another token', async (context) => {
  await restartWith(context, { waitsPerToken: 1 });
  const { rest, desire, report, twin } = context;
  const other = rest.newToken('app');
  const waiting = [desire({ n: 1 })];
  await written(context, 1);
  assert.is((await desire({ n: 1 })).status, 429);
  const path = `${twin}/documents/desired?wait=30`;
  waiting.push(rest.ask('PUT', path, { token: await other, body: { data: { n: 1 } } }));
  await written(context, 2);
  report({ n: 1 });
  for (const answer of await Promise.all(waiting)) assert.is(answer.status, 200);
});

test('a write of too many keys, at whatever depth, cannot wait, and has written nothing', async (context) => {
  await restartWith(context, { waitKeys: 4 });
  const { rest, desire, twin } = context;
  const tooMany = [{ a: 1, b: 2, c: 3, d: 4, e: 5 }, { a: { b: { c: 1, d: 2, e: 3 } } }, { a: [1, 2, 3, 4] }];
  for (const data of tooMany) {
    const { status, body } = await desire(data);
    assert.equal([status, body.details[0].argument_name], [400, 'wait']);
    assert.match(body.details[0].help_message, 'more than 4 keys');
  }
  assert.is((await rest.ask('GET', `${twin}/documents/desired`)).status, 404);
  assert.is((await desire({ a: [1, 2, 3] }, 0)).status, 202);
});

test('a client that goes away makes room', async (context) => {
  await restartWith(context, { waits: 1 });
  const { rest, desire } = context;
  const path = `${BASE}${context.twin}/documents/desired?wait=30`;
  const headers = { 'X-Auth-Token': rest.token };
  const client = request({ port: rest.port, host: '127.0.0.1', method: 'PUT', path, headers });
  client.on('error', () => undefined);
  client.end('{"data":{"n":1}}');
  await written(context, 1);
  assert.is((await desire({}, 0)).status, 429);
  client.destroy();
  await until(async () => (await desire({}, 0)).status === 202);
});

test('when the server stops, waiting requests are answered at once that it was not applied', async (context) => {
  await restartWith(context, { stopMs: 1_000_000 });
  const waiting = [context.desire({ n: 1 }), context.desire({ n: 2 })];
  await written(context, 2);
  const closed = context.rest.close();
  for (const answer of await Promise.all(waiting)) {
    assert.equal([answer.status, answer.body.applied], [202, false]);
  }
  await closed;
  await begin(context);
});

test('when the token is revoked or the device deleted, the waiting ends', async (context) => {
  const { rest, id, desire } = context;
  const { token, secret } = await rest.tokens.create({ role: 'app' });
  const waiting = [desire({ n: 1 }, 30, { token: secret }), desire({ n: 2 })];
  await written(context, 2);
  await rest.ask('DELETE', `/tokens/${token.id}`);
  assert.is((await waiting[0])?.status, 202);
  await rest.ask('DELETE', `/devices/${id}`);
  assert.is((await waiting[1])?.status, 202);
});

test('many wait for different things, and each gets the answer to its own', async (context) => {
  const { desire, report } = context;
  const waiting = Array.from({ length: 20 }, (_, n) => desire({ [`k${n}`]: n }));
  await written(context, 20);
  const answered: number[] = [];
  waiting.forEach((each, n) => {
    each.then(({ status, body }) => {
      assert.equal([status, body.data[`k${n}`]], [200, n]);
      answered.push(n);
    });
  });
  for (let n = 0; n < 20; n += 1) {
    report({ [`k${n}`]: n });
    await until(() => answered.length === n + 1);
    assert.is(answered.at(-1), n);
  }
});

test('a report is read once, however many wait for it', async (context) => {
  const { desire, report } = context;
  const waiting = Array.from({ length: 20 }, () => desire({ done: true }));
  await written(context, 20);
  const { parse } = JSON;
  let read = 0;
  JSON.parse = (text: string, ...more) => {
    if (text === '{"done":true,"count":1}') read += 1;
    return parse(text, ...more);
  };
  report({ done: true, count: 1 });
  const answers = await Promise.all(waiting);
  JSON.parse = parse;
  assert.ok(answers.every(({ body }) => body.applied));
  assert.is(read, 1);
});

const CASES: [Json, Json | undefined, boolean][] = [
  [{ a: 1 }, { a: 1, b: 2 }, true],
  [{ a: 1 }, { a: 2 }, false],
  [{ a: 1 }, { a: '1' }, false],
  [{ a: 1 }, {}, false],
  [{}, {}, true],
  [{ a: { b: 1 } }, { a: { b: 1, c: 2 } }, true],
  [{ a: { b: 1 } }, { a: { c: 2 } }, false],
  [{ a: { b: 1 } }, { a: 1 }, false],
  [{ a: {} }, { a: [] }, false],
  [{ a: [] }, { a: {} }, false],
  [{ a: [1, 2] }, { a: [1, 2] }, true],
  [{ a: [1, 2] }, { a: [1, 2, 3] }, false],
  [{ a: [1, 2] }, { a: [2, 1] }, false],
  [{ a: null }, {}, true],
  [{ a: null }, { a: null }, true],
  [{ a: null }, { a: false }, false],
  [{ a: false }, {}, false],
  [{ toString: null }, {}, true],
  [{ constructor: 1 }, {}, false],
];

test('a report agrees when it has all that was written', () => {
  for (const [wanted, reported, expected] of CASES) {
    assert.is(agrees(wanted, reported), expected, JSON.stringify([wanted, reported]));
  }
});

test('a panel that merges what it is sent into its report agrees with it', () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const leaf = fc.oneof(
    fc.nat({ max: 3 }),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.nat(), { maxLength: 2 }),
  );
  const { object } = fc.letrec<{ object: JsonObject }>((tie) => ({
    object: fc.dictionary(key, fc.oneof({ maxDepth: 3 }, leaf, tie('object')), { noNullPrototype: true }),
  }));
  fc.assert(
    fc.property(object, object, (report, patch) => {
      assert.ok(agrees(patch, mergePatch(structuredClone(report), patch)));
    }),
    { numRuns: 1000 },
  );
});

test.run();
