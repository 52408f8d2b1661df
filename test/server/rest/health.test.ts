import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest }>('health and readiness');

test.before.each(async (context) => {
  context.rest = await startTestRest();
});
test.after.each(({ rest }) => rest.close());

async function answerOf({ url }: TestRest, path: string): Promise<[status: number, body: unknown]> {
  const response = await fetch(url + path);
  assert.is(response.headers.get('content-type'), 'application/json');
  return [response.status, await response.json()];
}

test('health needs no token, and changes while storage takes no writes', async ({ rest }) => {
  assert.equal(await answerOf(rest, '/healthz'), [200, { status: 'ok' }]);
  rest.storage.failWith(new Error('disk full'));
  assert.equal(await answerOf(rest, '/healthz'), [503, { status: 'storage unavailable' }]);
  rest.storage.failWith(undefined);
  assert.equal(await answerOf(rest, '/healthz'), [200, { status: 'ok' }]);
  assert.is((await fetch(`${rest.url}/healthz`, { method: 'POST' })).status, 405);
});

test('readiness needs no token, and names each check', async ({ rest }) => {
  const running = { name: 'running', ok: true };
  const checks = (ok: boolean) => [running, { name: 'writable', ok }];
  assert.equal(await answerOf(rest, '/readyz'), [200, { ready: true, checks: checks(true) }]);
  rest.storage.failWith(new Error('disk full'));
  assert.equal(await answerOf(rest, '/readyz'), [503, { ready: false, checks: checks(false) }]);
  rest.storage.failWith(undefined);
  assert.is((await fetch(`${rest.url}/readyz`, { method: 'POST' })).status, 405);
});

test('a server that stops is healthy, and not ready', async ({ rest }) => {
  await rest.readiness.drain();
  const [status, { checks }] = (await answerOf(rest, '/readyz')) as [number, { checks: object[] }];
  assert.is(status, 503);
  assert.equal(checks[0], { name: 'running', ok: false });
  assert.is((await answerOf(rest, '/healthz'))[0], 200);
});

test('a warning is in the answer, and an owner reads it at the hub, and others do not', async ({ rest }) => {
  const warningsFor = async (token: string) =>
    (await rest.ask('GET', '/hubs', { token })).body.hubs[0].warnings;
  assert.equal(await warningsFor(rest.token), []);
  const standby = { name: 'standby', ok: true, warning: 'one_disk' } as const;
  rest.readiness.add(() => standby);
  const [status, { checks }] = (await answerOf(rest, '/readyz')) as [number, { checks: object[] }];
  assert.is(status, 200);
  assert.equal(checks.at(-1), standby);
  assert.equal(await warningsFor(rest.token), ['one_disk']);
  assert.equal(await warningsFor(await rest.newToken('app')), []);
});

test.run();
