import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { changeFile, StorageUnavailable } from '../../../server/storage/storage.js';
import { type Document, parseRequest } from '../../../server/twins/document.js';
import {
  DocumentNotFound,
  DocumentTooLarge,
  InvalidName,
  InvalidRequest,
  TooManyDocuments,
  VersionMismatch,
} from '../../../server/twins/errors.js';
import { type Answer, type Change, Twins } from '../../../server/twins/twins.js';
import { LIMITS } from '../../../shared/document.js';

const ID = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';
const OTHER = '1f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';

interface Context {
  clock: { now: () => number };
  storage: MemoryStorage;
  twins: Twins;
}

const test = suite<Context>('twins');

test.before.each((context) => {
  context.clock = { now: () => Date.parse('2026-11-23T00:00:00Z') };
  context.storage = memoryStorage(() => context.clock.now());
  context.twins = new Twins(context.storage);
});

const answered = <T>(ask: (answer: Answer<T>) => void): Promise<T> =>
  new Promise((done, failed) => ask((error, value) => (error ? failed(error) : done(value as T))));

const put = (twins: Twins, name: string, data: object, version = 0): Promise<Document> =>
  answered((answer) => twins.put(ID, name, { version, data: data as never }, answer));
const patch = (twins: Twins, name: string, data: object, version = 0): Promise<Document> =>
  answered((answer) => twins.patch(ID, name, { version, data: data as never }, answer));
const get = (twins: Twins, name: string): Promise<Document> =>
  answered((answer) => twins.get(ID, name, answer));

async function refusal(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable('nothing was refused') as never;
}

test('a put creates version 1, and every put or patch adds one', async ({ twins }) => {
  assert.is((await put(twins, 'd', { a: 1 })).version, 1);
  assert.is((await put(twins, 'd', { a: 2 })).version, 2);
  assert.is((await patch(twins, 'd', {})).version, 3);
});

test('a document is shown with its twin, name, version, data and time', async ({ twins }) => {
  await put(twins, 'd', { a: 'Tür' });
  assert.equal(JSON.parse((await get(twins, 'd')).json), {
    twin_id: ID,
    document_name: 'd',
    version: 1,
    data: { a: 'Tür' },
    created_at: '2026-11-23T00:00:00.000Z',
    updated_at: '2026-11-23T00:00:00.000Z',
  });
});

/** A clock that shows one day after the other. */
function daily(): () => number {
  let day = 0;
  return () => Date.UTC(2026, 0, ++day);
}

const dayOf = (time: string | undefined): number => new Date(time ?? '').getUTCDate();

test('created_at is the time of version 1 and stays through puts and patches', async ({ twins, clock }) => {
  clock.now = daily();
  await put(twins, 'd', { a: 1 });
  await put(twins, 'd', { a: 2 });
  const { json } = await patch(twins, 'd', { b: 1 });
  const { version, created_at, updated_at } = JSON.parse(json);
  assert.equal([version, dayOf(created_at), dayOf(updated_at)], [3, 1, 3]);
});

test('a document that is deleted and created again has another birth, also within one millisecond', async ({
  twins,
}) => {
  const before = (await put(twins, 'd', { a: 1 })).born;
  assert.equal((await put(twins, 'd', { a: 2 })).born, before);
  await answered<void>((answer) => twins.delete(ID, 'd', answer));
  const after = (await put(twins, 'd', { a: 3 })).born;
  assert.is(after.createdAt, before.createdAt);
  assert.is.not(after.tag, before.tag);
});

test('past versions show the created_at of their document', async ({ twins, clock }) => {
  clock.now = daily();
  for (const a of [1, 2, 3]) await put(twins, 'd', { a });
  const past = await twins.history(ID, 'd', { limit: 10, dataBytes: 1000 });
  const days = past.map(({ born, updatedAt }) => [dayOf(born.createdAt), dayOf(updatedAt)]);
  assert.equal(days, [
    [1, 3],
    [1, 2],
    [1, 1],
  ]);
});

test('a document that was stored without a birth keeps its last time as created_at', async ({
  twins,
  storage,
  clock,
}) => {
  const old = { version: 7, updatedAt: '2025-12-31T00:00:00.000Z', data: '{}' };
  await changeFile(storage, `twins/${ID.slice(0, 2)}/${ID}`, () => ({ key: 'd', document: old }));
  clock.now = daily();
  assert.is((await get(twins, 'd')).born.createdAt, old.updatedAt);
  const first = await put(twins, 'd', { a: 1 });
  const second = await put(twins, 'd', { a: 2 });
  assert.equal([first.version, first.born.createdAt], [8, old.updatedAt]);
  assert.equal(second.born, first.born);
});

test('a version that is not the present one changes nothing', async ({ twins }) => {
  await put(twins, 'd', { a: 1 });
  await put(twins, 'd', { a: 2 }, 1);
  const error = (await refusal(put(twins, 'd', { a: 3 }, 1))) as VersionMismatch;
  assert.instance(error, VersionMismatch);
  assert.equal([error.expected, error.actual], [1, 2]);
  assert.is((await get(twins, 'd')).data, '{"a":2}');
  assert.is((await put(twins, 'd', { a: 3 }, 2)).version, 3);
});

test('a version other than 0 on a document that does not exist is a mismatch with 0', async ({ twins }) => {
  const error = (await refusal(put(twins, 'd', {}, 4))) as VersionMismatch;
  assert.equal([error.expected, error.actual], [4, 0]);
});

test('of many puts at one version in one turn a single one wins', async ({ twins }) => {
  await put(twins, 'd', {});
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => put(twins, 'd', { n }, 1)));
  assert.is(results.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.is((await get(twins, 'd')).version, 2);
});

test('a deleted document is not found, and starts again at version 1', async ({ twins }) => {
  await put(twins, 'd', {});
  await put(twins, 'd', {});
  await answered<void>((answer) => twins.delete(ID, 'd', answer));
  assert.instance(await refusal(get(twins, 'd')), DocumentNotFound);
  assert.instance(await refusal(answered<void>((answer) => twins.delete(ID, 'd', answer))), DocumentNotFound);
  assert.is((await put(twins, 'd', {})).version, 1);
});

test('a patch of a document that does not exist is not found', async ({ twins }) => {
  assert.instance(await refusal(patch(twins, 'd', { a: 1 })), DocumentNotFound);
});

test('a patch keeps what it does not name, removes null, and recurses', async ({ twins }) => {
  await put(twins, 'd', { a: 1, b: { c: 1, d: 2 }, e: [1, 2], f: true });
  const { data } = await patch(twins, 'd', { a: null, b: { c: null, x: { y: 1 } }, e: [3] });
  assert.equal(JSON.parse(data), { b: { d: 2, x: { y: 1 } }, e: [3], f: true });
});

test('an array in a patch may not contain null', async ({ twins }) => {
  await put(twins, 'd', {});
  for (const data of [{ a: [null] }, { a: { b: [1, null] } }]) {
    assert.instance(await refusal(patch(twins, 'd', data)), InvalidRequest);
  }
});

test('constructor and toString are plain keys and names', async ({ twins }) => {
  await put(twins, 'constructor', { toString: { a: 1 }, constructor: 'x' });
  const { data } = await patch(twins, 'constructor', { toString: { b: 2 }, hasOwnProperty: { c: 3 } });
  assert.is(data, '{"toString":{"a":1,"b":2},"constructor":"x","hasOwnProperty":{"c":3}}');
});

test('a name that is not valid is refused on every call', async ({ twins }) => {
  for (const name of ['', '.', '..', '.a', '_a', '__proto__', 'a/b', 'a b', 'ä', 'x'.repeat(65)]) {
    for (const call of [put(twins, name, {}), patch(twins, name, {}), get(twins, name)]) {
      assert.instance(await refusal(call), InvalidName);
    }
    assert.instance(await refusal(answered<void>((answer) => twins.delete(ID, name, answer))), InvalidName);
  }
  for (const name of ['_config', '~', '-', 'x'.repeat(64), 'a._-~Z9']) await put(twins, name, {});
});

test('dataBytes bounds a document, put or patched, in bytes of UTF-8', async ({ twins }) => {
  const room = LIMITS.dataBytes - '{"a":""}'.length;
  await put(twins, 'd', { a: 'x'.repeat(room) });
  assert.instance(await refusal(patch(twins, 'd', { b: 1 })), DocumentTooLarge);
  assert.instance(await refusal(put(twins, 'd', { a: `ä${'x'.repeat(room - 1)}` })), DocumentTooLarge);
  assert.is((await get(twins, 'd')).version, 1);
});

test('documents bounds a twin, whatever else is under way', async ({ twins }) => {
  const puts = Array.from({ length: LIMITS.documents + 1 }, (_, n) => put(twins, `d${n}`, {}));
  const results = await Promise.allSettled(puts);
  const [refused, ...more] = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason] : [],
  );
  assert.instance(refused, TooManyDocuments);
  assert.is(more.length, 0);
});

test('list names the documents, sorted; clear removes them all and those of no other twin', async ({
  twins,
}) => {
  for (const name of ['b', 'a', 'c']) await put(twins, name, {});
  await answered((answer) => twins.put(OTHER, 'z', { version: 0, data: {} }, answer));
  assert.equal(await answered<string[]>((answer) => twins.list(ID, answer)), ['a', 'b', 'c']);
  await answered<void>((answer) => twins.clear(ID, answer));
  assert.equal(await answered<string[]>((answer) => twins.list(ID, answer)), []);
  assert.equal(await answered<string[]>((answer) => twins.list(OTHER, answer)), ['z']);
});

test('answers come in the order of the calls, and a get sees the earlier writes and no later one', async ({
  twins,
}) => {
  const answers: string[] = [];
  const note = (what: string) => (error: Error | null, document?: unknown) =>
    answers.push(`${what} ${error ? error.name : (document as Document)?.version}`);
  await new Promise<void>((done) => {
    twins.get(ID, 'd', note('get'));
    twins.put(ID, 'd', { version: 0, data: {} }, note('put'));
    twins.get(ID, 'd', note('get'));
    twins.put(ID, 'd', { version: 9, data: {} }, note('put'));
    twins.put(ID, 'd', { version: 1, data: {} }, note('put'));
    twins.get(ID, 'd', (error, document) => {
      note('get')(error, document);
      done();
    });
  });
  assert.equal(answers, ['get DocumentNotFound', 'put 1', 'get 1', 'put VersionMismatch', 'put 2', 'get 2']);
});

test('when storage fails every call under way says so, and the twin is as before', async ({
  twins,
  storage,
}) => {
  await put(twins, 'd', { a: 1 });
  storage.failWith(new Error('no space left'));
  const errors = await Promise.all([put(twins, 'd', { a: 2 }), patch(twins, 'd', { b: 1 })].map(refusal));
  for (const error of errors) {
    assert.instance(error, StorageUnavailable);
    assert.is(error.message, 'storage unavailable');
  }
  assert.is((await get(twins, 'd')).data, '{"a":1}');
  storage.failWith(undefined);
  assert.is((await put(twins, 'd', { a: 2 })).version, 2);
});

test('a clock that goes backwards changes nothing but the time', async ({ twins, clock }) => {
  const times = ['2026-01-02T00:00:00.000Z', '2026-01-01T00:00:00.000Z'];
  clock.now = () => Date.parse(times.shift() ?? '');
  await put(twins, 'd', { a: 1 });
  const { version, updatedAt } = await put(twins, 'd', { a: 2 });
  assert.equal([version, updatedAt], [2, '2026-01-01T00:00:00.000Z']);
  assert.is((await get(twins, 'd')).data, '{"a":2}');
});

test('a watcher hears every durable change of its twin, with its author', async ({ twins, storage }) => {
  const author = () => ({ judge: () => undefined });
  const [me, other, app] = [author(), author(), author()];
  const seen: Change[] = [];
  const stop = twins.watch(ID, (change) => seen.push(change));
  await answered((answer) => twins.put(ID, 'd', { version: 0, data: {} }, answer, me));
  await answered((answer) => twins.put(OTHER, 'd', { version: 0, data: {} }, answer, other));
  storage.failWith(new Error('full'));
  await refusal(put(twins, 'd', {}));
  storage.failWith(undefined);
  await answered<void>((answer) => twins.delete(ID, 'd', answer, app));
  stop();
  await put(twins, 'd', {});
  assert.equal(
    seen.map(({ name, document, version }) => [name, document?.version, version]),
    [
      ['d', 1, 1],
      ['d', undefined, 1],
    ],
  );
  assert.ok(seen[0]?.origin === me && seen[1]?.origin === app);
});

test('a change is refused when its author has lost the right to it by the time it is decided', async ({
  twins,
}) => {
  await put(twins, 'd', { a: 1 });
  const lost = new Error('lost');
  const author = {
    judge() {
      throw lost;
    },
  };
  const request = { version: 0, data: { a: 2 } };
  const changes: ((answer: Answer<unknown>) => void)[] = [
    (answer) => twins.put(ID, 'd', request, answer, author),
    (answer) => twins.patch(ID, 'd', request, answer, author),
    (answer) => twins.delete(ID, 'd', answer, author),
    (answer) => twins.clear(ID, answer, author),
  ];
  for (const change of changes) assert.is(await refusal(answered(change)), lost);
  assert.is((await get(twins, 'd')).data, '{"a":1}');
});

test('a watcher hears the last version of each document that is deleted', async ({ twins }) => {
  for (const name of ['a', 'b', 'b', 'c', 'c', 'c']) await put(twins, name, {});
  const seen: Change[] = [];
  twins.watch(ID, (change) => seen.push(change));
  await answered<void>((answer) => twins.delete(ID, 'b', answer));
  await answered<void>((answer) => twins.clear(ID, answer));
  assert.equal(
    seen.map(({ name, document, version }) => [name, document, version]),
    [
      ['b', undefined, 2],
      ['a', undefined, 1],
      ['c', undefined, 3],
    ],
  );
});

const bytes = (text: string) => new TextEncoder().encode(text);

test('a request has data and a version, which is 0 if it is not given', () => {
  assert.equal(parseRequest(bytes('{"data":{"a":[1,null]},"x":1}')), { version: 0, data: { a: [1, null] } });
  assert.equal(parseRequest(bytes('{"version":7,"data":{}}')), { version: 7, data: {} });
  assert.equal(parseRequest(bytes('{"data":{"a":9007199254740991,"b":-1.5e-7}}')).data, {
    a: 9007199254740991,
    b: -1.5e-7,
  });
});

const deep = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;

const REFUSED: [string, string | Uint8Array, string][] = [
  ['no JSON', 'x', 'body'],
  ['nothing', '', 'body'],
  ['an array', '[]', 'body'],
  ['null', 'null', 'body'],
  ['wrong UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'body'],
  ['JSON 100,000 levels deep', '['.repeat(100_000) + ']'.repeat(100_000), 'body'],
  ['data 100,000 levels deep', `{"data":${deep(100_000)}}`, 'data'],
  ['no data', '{"version":1}', 'data'],
  ['data null', '{"data":null}', 'data'],
  ['data an array', '{"data":[]}', 'data'],
  ['data a string', '{"data":"x"}', 'data'],
  ['__proto__ in data', '{"data":{"__proto__":{"a":1}}}', 'data'],
  ['__proto__ below', '{"data":{"a":[{"__proto__":1}]}}', 'data'],
  ['an integer that a double rounds', '{"data":{"a":9007199254740993}}', 'data'],
  ['a negative one', '{"data":{"a":-9007199254740993}}', 'data'],
  ['a number that overflows', '{"data":{"a":1e400}}', 'data'],
  ['33 levels', `{"data":${deep(33)}}`, 'data'],
  ['version as text', '{"version":"1","data":{}}', 'version'],
  ['a negative version', '{"version":-1,"data":{}}', 'version'],
  ['half a version', '{"version":1.5,"data":{}}', 'version'],
  ['a version that a double rounds', '{"version":9007199254740993,"data":{}}', 'version'],
];

for (const [name, body, argument] of REFUSED) {
  test(`a request is refused :: ${name}`, () => {
    try {
      parseRequest(typeof body === 'string' ? bytes(body) : body);
      assert.unreachable('it was taken');
    } catch (error) {
      assert.instance(error, InvalidRequest);
      assert.is((error as InvalidRequest).argument, argument);
    }
    assert.is(({} as { a?: number }).a, undefined);
  });
}

test('32 levels are taken', () => {
  assert.ok(parseRequest(bytes(`{"data":${deep(32)}}`)));
});

test.run();
