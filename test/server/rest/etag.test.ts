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

/** The tag of an answer that must carry one. */
function tagOf(answer: Answer): string {
  const tag = etagOf(answer);
  if (tag === null) throw new Error(`no tag: ${answer.status} ${answer.text}`);
  return tag;
}

function assertFailed(answer: Answer, precondition: string, help: string): void {
  assert.is(answer.status, 412);
  assert.equal(answer.body, {
    type: 'precondition_failed',
    message: 'precondition failed',
    precondition,
    help_message: help,
  });
}

test('an answer with a document carries an entity tag, another for each version', async ({
  rest,
  path,
  write,
}) => {
  const first = tagOf(await write({}));
  const second = tagOf(await write({ a: 1 }, {}, 'PATCH'));
  assert.match(first, /^"1-[0-9a-f]{12}-[0-9TZ:.-]+"$/);
  assert.is.not(second, first);
  for (const method of ['GET', 'HEAD']) assert.is(etagOf(await rest.ask(method, path)), second, method);
});

test('the tag of a document that was deleted and made again does not come back', async ({
  rest,
  path,
  write,
}) => {
  const old = tagOf(await write({ n: 1 }));
  await rest.ask('DELETE', path);
  const present = tagOf(await write({ n: 2 }));
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    assertFailed(
      await write({ n: 3 }, { 'If-Match': old }, method),
      'If-Match',
      'the document has version 1',
    );
  }
  assert.is((await rest.ask('GET', path, { headers: { 'If-None-Match': old } })).status, 200);
  assert.is((await write({ n: 3 }, { 'If-Match': present })).status, 200);
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
  const first = tagOf(await write({ n: 1 }));
  const second = tagOf(await write({ n: 2 }, { 'If-Match': first }));
  const third = tagOf(await write({ n: 3 }, { 'If-Match': `${first}, ${second}` }, 'PATCH'));
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const refused = await write({ n: 4 }, { 'If-Match': second }, method);
    assertFailed(refused, 'If-Match', 'the document has version 3');
  }
  assert.equal((await rest.ask('GET', path)).body.data, { n: 3 });
  assert.is((await write({}, { 'If-Match': third }, 'DELETE')).status, 204);
});

test('If-Match: * asks for a document, whatever its version', async ({ write }) => {
  assertFailed(await write({}, { 'If-Match': '*' }), 'If-Match', 'there is no such document');
  await write({});
  assert.is((await write({}, { 'If-Match': '*' })).status, 200);
});

test('a document that does not exist matches no tag, not even "0"', async ({ write }) => {
  assert.is((await write({}, { 'If-Match': '"0"' })).status, 412);
  assert.is((await write({}, { 'If-None-Match': '"0"' })).status, 200);
});

test('a weak tag does not do for a write', async ({ write }) => {
  const tag = tagOf(await write({}));
  assert.is((await write({}, { 'If-Match': `W/${tag}` })).status, 412);
  assert.is((await write({}, { 'If-Match': `W/"7", ${tag}` })).status, 200);
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
  const first = tagOf(await write({}));
  const tag = tagOf(await write({}));
  for (const known of [tag, `W/${tag}`, `${first} , ${tag}`, '*', `"a,b", ${tag}`]) {
    const answer = await rest.ask('GET', path, { headers: { 'If-None-Match': known } });
    assert.is(answer.status, 304, known);
    assert.is(answer.text, '');
    assert.is(etagOf(answer), tag);
  }
  for (const known of [first, tag.replace('"2', '"22'), tag.replace('"2', '"02'), '"2 "']) {
    const answer = await rest.ask('GET', path, { headers: { 'If-None-Match': known } });
    assert.is(answer.status, known === '"2 "' ? 400 : 200, known);
  }
});

test('a read with If-Match of an older version is refused', async ({ rest, path, write }) => {
  const tag = tagOf(await write({}));
  const read = (wanted: string) => rest.ask('GET', path, { headers: { 'If-Match': wanted } });
  assert.is((await read(tag)).status, 200);
  assertFailed(await read('"2"'), 'If-Match', 'the document has version 1');
});

test('a document that does not exist is not found, whatever the conditions say', async ({ rest, path }) => {
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
  const present = tagOf(await write({}));
  const both = (tag: string, version: number) =>
    rest.ask('PUT', path, { headers: { 'If-Match': tag }, body: { version, data: {} } });
  assert.is((await both('"2"', 1)).status, 412);
  assert.is((await both('"2"', 2)).status, 412);
  const version = await both(present, 2);
  assert.is(version.status, 400);
  assert.is(version.body.actual_version, 1);
  assert.is((await both(present, 1)).status, 200);
});

test('both conditions must hold', async ({ write }) => {
  const tag = tagOf(await write({}));
  const refused = await write({}, { 'If-Match': tag, 'If-None-Match': tag });
  assert.is(refused.body.precondition, 'If-None-Match');
  assert.is((await write({}, { 'If-Match': tag, 'If-None-Match': '"2"' })).status, 200);
});

test('a text that is no entity tag is refused, and nothing is written', async ({ rest, path, write }) => {
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
  rest,
  path,
  write,
}) => {
  const statuses = async (headers: Record<string, string>) => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => write({ n }, headers)));
    return answers.map(({ status }) => status).sort();
  };
  const once = [200, ...Array.from({ length: 19 }, () => 412)];
  assert.equal(await statuses({ 'If-None-Match': '*' }), once);
  const tag = tagOf(await rest.ask('GET', path));
  assert.equal(await statuses({ 'If-Match': tag }), once);
});

test.run();
