import { once } from 'node:events';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StorageUnavailable } from '../../../server/storage/storage.js';
import { until } from '../../until.js';
import { begin, brief, type EventContext, restartWith } from './event-reader.js';
import { BASE, statusOf } from './rest.js';

const test = suite<EventContext>('the life of a stream of events');

test.before.each((context) => begin(context));
test.after.each(({ rest }) => rest.close());

test('a comment comes again and again while nothing happens', async (context) => {
  await restartWith(context, { eventsHeartbeatMs: 2 });
  const reader = await context.follow();
  await reader.state();
  await until(() => reader.comments >= 3);
});

test('the streams of one token are so many, and all so many', async (context) => {
  await restartWith(context, { eventsPerToken: 2, events: 3 });
  const { rest, follow } = context;
  const [phone, tablet] = [await rest.newToken('app'), await rest.newToken('reader')];
  const first = await follow({ token: phone });
  await follow({ token: phone });
  const refused = await rest.ask('GET', `${context.twin}/events`, { token: phone });
  assert.is(refused.status, 429);
  assert.is(refused.body.type, 'too_many_requests');
  assert.equal(refused.body.limit, { quota: 2, window_seconds: 0 });
  assert.is(refused.headers.get('retry-after'), '1');
  assert.is((await follow({ token: tablet })).status, 200);
  assert.is((await rest.ask('GET', `${context.twin}/events`)).status, 429);
  first.close();
  await until(async () => {
    const next = await follow();
    return next.status === 200;
  });
});

test('a stream ends when its token is revoked, and not that of another', async ({ rest, follow, put }) => {
  const { token, secret } = await rest.tokens.create({ role: 'app' });
  const [mine, other] = [await follow({ token: secret }), await follow()];
  for (const reader of [mine, other]) await reader.state();
  await rest.ask('DELETE', `/tokens/${token.id}`);
  assert.ok(await mine.ended);
  await put('a');
  assert.is(brief(await other.next()), 'document a 1');
  assert.is((await follow({ token: secret })).status, 401);
});

test('a stream ends when its token expires', async ({ rest, follow }) => {
  const expires_at = new Date(Date.now() + 200).toISOString();
  const { secret } = await rest.tokens.create({ role: 'app', expires_at });
  const reader = await follow({ token: secret });
  assert.ok(await reader.ended);
  assert.ok(Date.now() >= Date.parse(expires_at));
});

test('a stream ends when its device is deleted, and not when it is disabled', async ({
  rest,
  id,
  put,
  follow,
}) => {
  const reader = await follow();
  await reader.state();
  await rest.ask('POST', `/devices/${id}/disable`);
  await put('a');
  assert.is(brief(await reader.next()), 'document a 1');
  await rest.ask('DELETE', `/devices/${id}`);
  assert.ok(await reader.ended);
  assert.is((await follow()).status, 404);
});

test('streams end when the server stops, and hold it up by nothing', async (context) => {
  await restartWith(context, { stopMs: 1_000_000 });
  const readers = [await context.follow(), await context.follow()];
  await context.rest.close();
  for (const reader of readers) assert.ok(await reader.ended);
  await begin(context);
});

test('a twin that cannot be read is answered 503, and takes no place', async (context) => {
  await restartWith(context, { events: 1 });
  const { rest, twin, follow } = context;
  const noSuchDisk = (file: string) =>
    file.startsWith('twins/') ? Promise.reject(new StorageUnavailable('no such disk')) : undefined;
  rest.storage.holdBy(noSuchDisk);
  assert.is((await rest.ask('GET', `${twin}/events`)).status, 503);
  rest.storage.holdBy(() => undefined);
  await until(async () => (await follow()).status === 200);
});

test('a reader that does not read is dropped, and others go on', async (context) => {
  await restartWith(context, { events: 2, eventsBufferBytes: 100_000 });
  const { rest, twin, put, follow } = context;
  const honest = await follow();
  await honest.state();
  const socket = connect(rest.port, '127.0.0.1');
  socket.write(
    `GET ${BASE}${twin}/events HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${rest.token}\r\n\r\n`,
  );
  const [chunk] = await once(socket, 'data');
  assert.is(statusOf(chunk.toString()), 200);
  socket.pause();
  let version = 0;
  await until(async () => {
    version = await put('d', { x: 'x'.repeat(60_000) });
    const next = await follow();
    next.close();
    return next.status === 200;
  });
  for (let n = 1; n <= version; n += 1) assert.is(brief(await honest.next()), `document d ${n}`);
  socket.destroy();
});

test.run();
