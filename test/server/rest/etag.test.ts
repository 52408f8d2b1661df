import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, type Ask, startTestRest, type TestRest } from './rest.js';

interface Context {
  rest: TestRest;
  path: string;
  write: (data: object, headers?: Record<string, string>, method?: string) => Promise<Answer>;
}

const test = suite<Context>('entity tags');

test.before(async (context) => {
  context.rest = await startTestRest();
});
test.before.each(async (context) => {
  const { rest } = context;
  const path = `/twins/${(await rest.newDevice()).id}/documents/d`;
  context.path = path;
  context.write = (data, headers = {}, method = 'PUT') => rest.ask(method, path, { headers, body: { data } });
});
test.after(({ rest }) => rest.close());

const etagOf = (answer: Answer): string | null => answer.headers.get('etag');

function assertFailed(answer: Answer, precondition: string, help: string): void {
  assert.is(answer.status, 412);
  assert.equal(answer.body, {
    type: 'precondition_failed',
    message: 'precondition failed',
    precondition,
    help_message: help,
  });
}

test('an answer with a document carries its version as entity tag', async ({ rest, path, write }) => {
  assert.is(etagOf(await write({})), '"1"');
  assert.is(etagOf(await write({ a: 1 }, {}, 'PATCH')), '"2"');
  for (const method of ['GET', 'HEAD']) assert.is(etagOf(await rest.ask(method, path)), '"2"', method);
});

test('an answer without a document carries none', async ({ rest, path }) => {
  assert.is(etagOf(await rest.ask('GET', path)), null);
  assert.is(etagOf(await rest.ask('DELETE', path)), null);
});

test('a write with If-Match is carried out while the document has one of these versions', async ({
  rest,
  path,
  write,
}) => {
  await write({ n: 1 });
  assert.is((await write({ n: 2 }, { 'If-Match': '"1"' })).status, 200);
  assert.is((await write({ n: 3 }, { 'If-Match': '"1", "2"' }, 'PATCH')).status, 200);
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const refused = await write({ n: 4 }, { 'If-Match': '"2"' }, method);
    assertFailed(refused, 'If-Match', 'the document has version 3');
  }
  assert.equal((await rest.ask('GET', path)).body.data, { n: 3 });
  assert.is((await write({}, { 'If-Match': '"3"' }, 'DELETE')).status, 204);
});

test('If-Match: * asks for a document, whatever its version', async ({ write }) => {
  assertFailed(await write({}, { 'If-Match': '*' }), 'If-Match', 'there is no such document');
  await write({});
  assert.is((await write({}, { 'If-Match': '*' })).status, 200);
});

test('a document that is not there matches no tag, not even "0"', async ({ write }) => {
  assert.is((await write({}, { 'If-Match': '"0"' })).status, 412);
  assert.is((await write({}, { 'If-None-Match': '"0"' })).status, 200);
});

test('a weak tag does not do for a write', async ({ write }) => {
  await write({});
  assert.is((await write({}, { 'If-Match': 'W/"1"' })).status, 412);
  assert.is((await write({}, { 'If-Match': 'W/"7", "1"' })).status, 200);
});

test('If-None-Match: * on a put creates, and never replaces', async ({ write }) => {
  const first = await write({ n: 1 }, { 'If-None-Match': '*' });
  assert.is(first.body.version, 1);
  assertFailed(
    await write({ n: 2 }, { 'If-None-Match': '*' }),
    'If-None-Match',
    'the document has version 1',
  );
});

test('a reader is not sent again what it has', async ({ rest, path, write }) => {
  await write({});
  await write({});
  for (const known of ['"2"', 'W/"2"', '"1" , "2"', '*', '"a,b", "2"']) {
    const answer = await rest.ask('GET', path, { headers: { 'If-None-Match': known } });
    assert.is(answer.status, 304, known);
    assert.is(answer.text, '');
    assert.is(etagOf(answer), '"2"');
  }
  for (const known of ['"1"', '"22"', '"02"', '"2 "']) {
    const answer = await rest.ask('GET', path, { headers: { 'If-None-Match': known } });
    assert.is(answer.status, known === '"2 "' ? 400 : 200, known);
  }
});

test('a reader that insists on a version is told when it is gone', async ({ rest, path, write }) => {
  await write({});
  const read = (tag: string) => rest.ask('GET', path, { headers: { 'If-Match': tag } });
  assert.is((await read('"1"')).status, 200);
  assertFailed(await read('"2"'), 'If-Match', 'the document has version 1');
});

test('a document that is not there is not found, whatever is asked of its tag', async ({ rest, path }) => {
  for (const headers of [{ 'If-None-Match': '*' }, { 'If-None-Match': '"1"' }, { 'If-Match': '"1"' }]) {
    assert.is(
      (await rest.ask('GET', path, { headers: { ...headers } as Record<string, string> })).status,
      404,
    );
  }
});

test('a tag and a version in the body must both be right, and the tag is judged first', async ({
  rest,
  path,
  write,
}) => {
  await write({});
  const both = (tag: string, version: number) =>
    rest.ask('PUT', path, { headers: { 'If-Match': tag }, body: { version, data: {} } });
  assert.is((await both('"2"', 1)).status, 412);
  assert.is((await both('"2"', 2)).status, 412);
  const version = await both('"1"', 2);
  assert.is(version.status, 400);
  assert.is(version.body.actual_version, 1);
  assert.is((await both('"1"', 1)).status, 200);
});

test('both conditions must hold', async ({ write }) => {
  await write({});
  const refused = await write({}, { 'If-Match': '"1"', 'If-None-Match': '"1"' });
  assert.is(refused.body.precondition, 'If-None-Match');
  assert.is((await write({}, { 'If-Match': '"1"', 'If-None-Match': '"2"' })).status, 200);
});

test('what is no entity tag is refused, and nothing written', async ({ rest, path, write }) => {
  await write({ n: 1 });
  const wrong = ['1', '', '"1', 'W/1', '"1" "2" x', '*, "1"', `"${'"'.repeat(1000)}x`];
  for (const header of ['If-Match', 'If-None-Match']) {
    for (const tag of wrong) {
      for (const method of ['PUT', 'PATCH', 'DELETE', 'GET']) {
        const ask: Ask = { headers: { [header]: tag } };
        if (method[0] === 'P') ask.body = { data: { n: 2 } };
        const answer = await rest.ask(method, path, ask);
        assert.is(answer.status, 400, `${method} ${header}: ${tag}`);
        assert.is(answer.body.details[0].argument_name, header);
      }
    }
  }
  assert.equal((await rest.ask('GET', path)).body.data, { n: 1 });
});

test('of many that make the same document only the first does, and of many that change a version one', async ({
  write,
}) => {
  const statuses = async (headers: Record<string, string>) => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => write({ n }, headers)));
    return answers.map(({ status }) => status).sort();
  };
  const once = [200, ...Array.from({ length: 19 }, () => 412)];
  assert.equal(await statuses({ 'If-None-Match': '*' }), once);
  assert.equal(await statuses({ 'If-Match': '"1"' }), once);
});

test.run();
