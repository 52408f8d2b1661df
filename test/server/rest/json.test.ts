import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest; path: string }>('hostile JSON');

test.before(async (context) => {
  context.rest = await startTestRest();
  context.path = `/twins/${(await context.rest.newDevice()).id}/documents/d`;
});
test.after(({ rest }) => rest.close());

const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;

const HOSTILE: Record<string, { body: string | Buffer; argument: string }> = {
  nothing: { body: '', argument: 'body' },
  'half of it': { body: '{"data":{"a":', argument: 'body' },
  'bytes that are not UTF-8': {
    body: Buffer.concat([Buffer.from('{"data":{"a":"'), Buffer.from([0xff]), Buffer.from('"}}')]),
    argument: 'body',
  },
  'an array': { body: '[]', argument: 'body' },
  null: { body: 'null', argument: 'body' },
  'a byte order mark': { body: '\ufeff{"data":{}}', argument: 'body' },
  'no data': { body: '{}', argument: 'data' },
  'data that is null': { body: '{"data":null}', argument: 'data' },
  'data that is an array': { body: '{"data":[]}', argument: 'data' },
  'data that is text': { body: '{"data":"{}"}', argument: 'data' },
  'a depth of 33': { body: `{"data":${nested(33)}}`, argument: 'data' },
  'arrays to a depth of 10,000': {
    body: `{"data":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`,
    argument: 'data',
  },
  'the key __proto__': { body: '{"data":{"__proto__":{"polluted":true}}}', argument: 'data' },
  'the key __proto__ below': {
    body: '{"data":{"a":[{"\\u005f_proto__":{"polluted":true}}]}}',
    argument: 'data',
  },
  'a number that a double would round': { body: '{"data":{"n":9007199254740993}}', argument: 'data' },
  'a number that overflows': { body: '{"data":{"n":1e400}}', argument: 'data' },
  'a negative number that overflows': { body: '{"data":{"n":[-1e400]}}', argument: 'data' },
  'a version below 0': { body: '{"version":-1,"data":{}}', argument: 'version' },
  'a version that is a fraction': { body: '{"version":1.5,"data":{}}', argument: 'version' },
  'a version that is text': { body: '{"version":"1","data":{}}', argument: 'version' },
  'a version that overflows': { body: '{"version":1e400,"data":{}}', argument: 'version' },
};

for (const [what, { body, argument }] of Object.entries(HOSTILE)) {
  test(`a body is refused for: ${what}`, async ({ rest, path }) => {
    for (const method of ['PUT', 'PATCH']) {
      const response = await fetch(`${rest.url}/iot/v1/regions/fr-par${path}`, {
        method,
        headers: { 'X-Auth-Token': rest.token },
        body,
      });
      assert.is(response.status, 400, method);
      const answer = (await response.json()) as { type: string; details: { argument_name: string }[] };
      assert.is(answer.type, 'invalid_arguments');
      assert.is(answer.details[0]?.argument_name, argument);
    }
    assert.is((await rest.ask('GET', path)).status, 404);
  });
}

test('a depth of 100,000 is refused, whatever its size', async () => {
  const rest = await startTestRest({ bodyBytes: 2_000_000 });
  const path = `/twins/${(await rest.newDevice()).id}/documents/d`;
  for (const body of [
    `{"data":${nested(100_000)}}`,
    `{"data":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
    '['.repeat(100_000),
  ]) {
    assert.is((await rest.ask('PUT', path, { body })).status, 400);
  }
  const deep = `{"data":${nested(32)}}`;
  assert.is((await rest.ask('PUT', path, { body: deep })).status, 200);
  await rest.close();
});

test('keys that name what every object has are plain data', async ({ rest, path }) => {
  const data = '{"constructor":{"prototype":{"polluted":true}},"toString":1,"hasOwnProperty":null}';
  const put = await rest.ask('PUT', path, { body: `{"data":${data}}` });
  assert.is(put.status, 200);
  const patch = await rest.ask('PATCH', path, { body: '{"data":{"constructor":{"prototype":{"more":1}}}}' });
  assert.equal(patch.body.data.constructor, { prototype: { polluted: true, more: 1 } });
  assert.is(({} as { polluted?: boolean }).polluted, undefined);
  assert.is((Object as unknown as { polluted?: boolean }).polluted, undefined);
});

test('the greatest and the least whole number come back as they were', async ({ rest, path }) => {
  const body = '{"data":{"most":9007199254740991,"least":-9007199254740991,"half":0.5}}';
  assert.is((await rest.ask('PUT', path, { body })).status, 200);
  assert.match(
    (await rest.ask('GET', path)).text,
    '"most":9007199254740991,"least":-9007199254740991,"half":0.5',
  );
});

test('a patch whose array holds null is refused, and changes nothing', async ({ rest, path }) => {
  const { body: before } = await rest.ask('PUT', path, { body: { data: { a: [1] } } });
  const refused = await rest.ask('PATCH', path, { body: { data: { a: [null] } } });
  assert.is(refused.status, 400);
  assert.equal((await rest.ask('GET', path)).body, before);
});

test.run();
