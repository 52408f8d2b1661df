import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest; id: string; twin: string }>('twins over REST');

test.before(async (context) => {
  context.rest = await startTestRest();
});
test.before.each(async (context) => {
  context.id = (await context.rest.newDevice()).id;
  context.twin = `/twins/${context.id}`;
});
test.after(({ rest }) => rest.close());

test('a put creates a document, and a get shows it as it was answered', async ({ rest, id, twin }) => {
  const put = await rest.ask('PUT', `${twin}/documents/desired`, { body: { data: { alarm_armed: true } } });
  assert.is(put.status, 200);
  assert.match(put.body.updated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(put.body, {
    twin_id: id,
    document_name: 'desired',
    version: 1,
    data: { alarm_armed: true },
    created_at: put.body.updated_at,
    updated_at: put.body.updated_at,
    updated_by: put.body.updated_by,
  });
  const get = await rest.ask('GET', `${twin}/documents/desired`);
  assert.is(get.status, 200);
  assert.is(get.text, put.text);
});

test('a document says who wrote it: the description of the token, else its role', async ({ rest, twin }) => {
  const path = `${twin}/documents/d`;
  const by = async (description: string) => {
    const made = await rest.ask('POST', '/tokens', { body: { role: 'app', description } });
    await rest.ask('PUT', path, { body: { data: {} }, token: made.body.secret });
    return (await rest.ask('GET', path)).body.updated_by;
  };
  assert.is(await by('x'.repeat(100)), 'x'.repeat(64));
  assert.equal([await by('Anna "the phone"'), await by('')], ['Anna "the phone"', 'app']);
  const { history } = (await rest.ask('GET', `${path}/history`)).body;
  assert.equal(
    history.map(({ updated_by }: { updated_by: string }) => updated_by),
    ['app', 'Anna "the phone"', 'x'.repeat(64)],
  );
});

test('a put replaces the whole data, a patch only what it names', async ({ rest, twin }) => {
  const path = `${twin}/documents/d`;
  await rest.ask('PUT', path, { body: { data: { a: 1, b: { c: 2, d: [3] } } } });
  const patch = await rest.ask('PATCH', path, { body: { data: { b: { c: null, e: 4 }, f: 5 } } });
  assert.is(patch.status, 200);
  assert.is(patch.body.version, 2);
  assert.equal(patch.body.data, { a: 1, b: { d: [3], e: 4 }, f: 5 });
  const put = await rest.ask('PUT', path, { body: { data: { g: 6 } } });
  assert.is(put.body.version, 3);
  assert.equal(put.body.data, { g: 6 });
});

test('the concurrency example of the protocol', async ({ rest, twin }) => {
  const path = `${twin}/documents/concurency`;
  const update = (version?: number) =>
    rest.ask('PUT', path, {
      body: { ...(version !== undefined && { version }), data: { by: version ?? 0 } },
    });
  assert.is((await update()).body.version, 1);
  assert.is((await update(1)).body.version, 2);
  const refused = await update(1);
  assert.is(refused.status, 400);
  assert.equal(refused.body, {
    type: 'invalid_arguments',
    message: 'invalid argument(s)',
    details: [{ argument_name: 'version', reason: 'constraint', help_message: 'document version mismatch' }],
    expected_version: 1,
    actual_version: 2,
  });
  assert.is((await rest.ask('GET', path)).body.version, 2);
  assert.is((await update(2)).body.version, 3);
});

test('a patch with another version is refused, also of a document that does not exist', async ({
  rest,
  twin,
}) => {
  const body = { version: 7, data: {} };
  const absent = await rest.ask('PUT', `${twin}/documents/d`, { body });
  assert.is(absent.status, 400);
  assert.is(absent.body.actual_version, 0);
  await rest.ask('PUT', `${twin}/documents/d`, { body: { version: 0, data: {} } });
  const patch = await rest.ask('PATCH', `${twin}/documents/d`, { body });
  assert.is(patch.status, 400);
  assert.is(patch.body.expected_version, 7);
  assert.is(patch.body.actual_version, 1);
});

test('a twin lists the names of its documents in order', async ({ rest, twin }) => {
  assert.equal((await rest.ask('GET', twin)).body, { documents: [] });
  for (const name of ['b', 'a', '_config', 'B']) {
    assert.is((await rest.ask('PUT', `${twin}/documents/${name}`, { body: { data: {} } })).status, 200);
  }
  const { status, body } = await rest.ask('GET', twin);
  assert.is(status, 200);
  assert.equal(body, {
    documents: [
      { document_name: 'B' },
      { document_name: '_config' },
      { document_name: 'a' },
      { document_name: 'b' },
    ],
  });
});

test('a deleted document is not found, and begins again at version 1', async ({ rest, twin }) => {
  const path = `${twin}/documents/d`;
  for (const n of [1, 2]) await rest.ask('PUT', path, { body: { data: { n } } });
  const deleted = await rest.ask('DELETE', path);
  assert.is(deleted.status, 204);
  assert.is(deleted.text, '');
  const gone = {
    type: 'not_found',
    message: 'resource is not found',
    resource: 'twin_document',
    resource_id: 'd',
  };
  for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', { data: {} }]] as const) {
    const answer = await rest.ask(method, path, { body });
    assert.is(answer.status, 404, method);
    assert.equal(answer.body, gone, method);
  }
  assert.is((await rest.ask('PUT', path, { body: { data: {} } })).body.version, 1);
});

test('deleting a twin deletes all its documents, and no other twin', async ({ rest, twin }) => {
  const other = `/twins/${(await rest.newDevice()).id}`;
  for (const each of [twin, other]) {
    for (const name of ['a', 'b']) await rest.ask('PUT', `${each}/documents/${name}`, { body: { data: {} } });
  }
  assert.is((await rest.ask('DELETE', twin)).status, 204);
  assert.equal((await rest.ask('GET', twin)).body.documents, []);
  assert.is((await rest.ask('GET', other)).body.documents.length, 2);
});

test('the twin of an unknown device is not found, whatever is asked', async ({ rest }) => {
  const id = randomUUID();
  const calls = [
    ['GET', `/twins/${id}`],
    ['DELETE', `/twins/${id}`],
    ['GET', `/twins/${id}/documents/d`],
    ['PUT', `/twins/${id}/documents/d`, { data: {} }],
    ['PATCH', `/twins/${id}/documents/d`, { data: {} }],
    ['DELETE', `/twins/${id}/documents/d`],
  ] as const;
  for (const [method, path, body] of calls) {
    const answer = await rest.ask(method, path, { body });
    assert.is(answer.status, 404, method);
    assert.is(answer.body.resource, 'device');
    assert.is(answer.body.resource_id, id);
  }
});

test('a twin id may be written in capitals', async ({ rest, id }) => {
  const path = `/twins/${id.toUpperCase()}/documents/d`;
  assert.is((await rest.ask('PUT', path, { body: { data: {} } })).body.twin_id, id);
});

test('a twin id that is no UUID is refused', async ({ rest, id }) => {
  for (const wrong of ['me', '1', `${id}0`, id.slice(1), '__proto__', `${id}%00`]) {
    const answer = await rest.ask('GET', `/twins/${wrong}`);
    assert.is(answer.status, 400, wrong);
    assert.is(answer.body.details[0].argument_name, 'twin_id');
  }
});

test('bodies are JSON whatever their Content-Type says', async ({ rest, twin }) => {
  const types = [
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/json; charset=utf-8',
    'multipart/form-data',
    'image/png',
  ];
  for (const type of types) {
    const answer = await rest.ask('PUT', `${twin}/documents/d`, {
      headers: { 'Content-Type': type },
      body: '{"data":{"alarm_armed":true}}',
    });
    assert.is(answer.status, 200, type);
    assert.equal(answer.body.data, { alarm_armed: true });
  }
});

test('the answer to everything is exactly application/json, with its length', async ({ rest, twin }) => {
  const path = `${twin}/documents/d`;
  const answers = [
    await rest.ask('PUT', path, { body: { data: { text: 'ä€😀' } } }),
    await rest.ask('GET', path),
    await rest.ask('GET', twin),
    await rest.ask('GET', `${twin}/documents/none`),
    await rest.ask('GET', '/nowhere'),
    await rest.ask('GET', twin, { token: null }),
    await rest.ask('POST', twin),
  ];
  for (const { headers, text } of answers) {
    assert.is(headers.get('content-type'), 'application/json');
    assert.is(headers.get('content-length'), String(Buffer.byteLength(text)));
  }
});

test('HEAD answers as GET does, without the body', async ({ rest, twin }) => {
  const path = `${twin}/documents/d`;
  const { text } = await rest.ask('PUT', path, { body: { data: { n: 1 } } });
  const head = await rest.ask('HEAD', path);
  assert.is(head.status, 200);
  assert.is(head.text, '');
  assert.is(head.headers.get('content-length'), String(text.length));
});

test('documents up to the limit are taken, above it refused, and the twin has its limit too', async ({
  rest,
  twin,
}) => {
  const dataOf = (bytes: number) => ({ data: { text: 'x'.repeat(bytes - '{"text":""}'.length) } });
  assert.is((await rest.ask('PUT', `${twin}/documents/d0`, { body: dataOf(65_536) })).status, 200);
  const large = await rest.ask('PUT', `${twin}/documents/d0`, { body: dataOf(65_537) });
  assert.is(large.status, 400);
  assert.is(large.body.details[0].argument_name, 'data');
  for (let n = 1; n < 64; n += 1) await rest.ask('PUT', `${twin}/documents/d${n}`, { body: { data: {} } });
  const many = await rest.ask('PUT', `${twin}/documents/d64`, { body: { data: {} } });
  assert.is(many.status, 400);
  assert.is(many.body.details[0].help_message, 'too many documents');
});

test('writes that come at the same time each get a version of their own', async ({ rest, twin }) => {
  const path = `${twin}/documents/d`;
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => rest.ask('PUT', path, { body: { data: { n } } })),
  );
  const versions = answers.map(({ body }) => body.version).sort((a, b) => a - b);
  assert.equal(
    versions,
    Array.from({ length: 50 }, (_, n) => n + 1),
  );
});

test('of writers that carry the same version one wins', async ({ rest, twin }) => {
  const path = `${twin}/documents/d`;
  await rest.ask('PUT', path, { body: { data: {} } });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => rest.ask('PUT', path, { body: { version: 1, data: { n } } })),
  );
  const won = answers.filter(({ status }) => status === 200);
  assert.is(won.length, 1);
  assert.is((await rest.ask('GET', path)).text, won[0]?.text);
});

test.run();
