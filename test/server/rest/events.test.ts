import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { until } from '../../until.js';
import { begin, brief, type EventContext } from './event-reader.js';
import { BASE } from './rest.js';

const test = suite<EventContext>('events');

test.before.each((context) => begin(context));
test.after.each(({ rest }) => rest.close());

test('the present state comes first: the names, each document as a get shows it, and the presence', async ({
  rest,
  id,
  twin,
  put,
  follow,
}) => {
  for (const name of ['desired', 'current']) await put(name, { of: name });
  const reader = await follow();
  assert.is(reader.status, 200);
  const [names, current, desired, presence] = await reader.state();
  assert.equal(names?.event, 'twin');
  assert.equal(names?.data, {
    twin_id: id,
    documents: [{ document_name: 'current' }, { document_name: 'desired' }],
  });
  for (const told of [current, desired]) {
    assert.is(told?.event, 'document');
    const get = await rest.ask('GET', `${twin}/documents/${told?.data.document_name}`);
    assert.equal(told?.data, get.body);
  }
  assert.equal(presence?.data, { device_id: id, is_connected: false, at: null });
});

test('a stream is not cached on its way', async ({ follow }) => {
  const { headers } = await follow();
  assert.is(headers.get('content-type'), 'text/event-stream');
  assert.is(headers.get('cache-control'), 'no-store');
  assert.is(headers.get('x-accel-buffering'), 'no');
  assert.is(headers.get('content-length'), null);
});

test('HEAD tells the headers and ends', async ({ rest, twin }) => {
  const answer = await rest.ask('HEAD', `${twin}/events`);
  assert.is(answer.status, 200);
  assert.is(answer.headers.get('content-type'), 'text/event-stream');
});

test('then every change follows, by REST as by MQTT', async ({ rest, id, twin, put, follow }) => {
  const reader = await follow();
  await reader.state();
  await put('desired', { n: 1 });
  await rest.ask('PATCH', `${twin}/documents/desired`, { body: { data: { m: 2 } } });
  rest.twins.put(id, 'current', { version: 0, data: { by: 'device' } }, () => undefined);
  assert.equal((await reader.take(3)).map(brief), [
    'document desired 1',
    'document desired 2',
    'document current 1',
  ]);
  await rest.ask('DELETE', `${twin}/documents/desired`);
  const deleted = await reader.next();
  assert.is(deleted.event, 'document_deleted');
  assert.equal(deleted.data, { twin_id: id, document_name: 'desired' });
  await put('other');
  await rest.ask('DELETE', twin);
  assert.equal((await reader.take(3)).map(brief).sort(), [
    'document other 1',
    'document_deleted current',
    'document_deleted other',
  ]);
});

test('a change of another twin is not told, nor one that was refused', async ({
  rest,
  put,
  follow,
  twin,
}) => {
  const reader = await follow();
  await reader.state();
  const other = `/twins/${(await rest.newDevice()).id}`;
  await rest.ask('PUT', `${other}/documents/d`, { body: { data: {} } });
  await rest.ask('PUT', `${twin}/documents/d`, { body: { version: 7, data: {} } });
  rest.storage.failWith(new Error('disk full'));
  assert.is((await rest.ask('PUT', `${twin}/documents/d`, { body: { data: {} } })).status, 503);
  rest.storage.failWith(undefined);
  await put('e');
  assert.is(brief(await reader.next()), 'document e 1');
});

test('a change of presence is an event, with its time', async ({ rest, id, follow }) => {
  const reader = await follow();
  await reader.state();
  rest.devices.presence.connected(id);
  const came = await reader.next();
  assert.is(brief(came), 'presence true');
  assert.ok(Math.abs(Date.parse(came.data.at) - Date.now()) < 60_000);
  rest.devices.presence.disconnected(id);
  const gone = await reader.next();
  assert.is(brief(gone), 'presence false');
  const { last_activity_at } = (await rest.ask('GET', `/devices/${id}`)).body;
  assert.is(gone.data.at, last_activity_at);
  const state = await (await follow()).state();
  assert.equal(state.at(-1)?.data, gone.data, 'as a later reader gets it');
});

test('between the present state and the first change nothing is lost, and nothing told twice', async ({
  rest,
  put,
  follow,
}) => {
  const NAMES = ['a', 'b', 'c'];
  const WRITES = 60;
  let stop = false;
  const writers = NAMES.map(async (name) => {
    for (let n = 0; n < WRITES && !stop; n += 1) await put(name);
  });
  const readers = await Promise.all(Array.from({ length: 12 }, () => follow()));
  await Promise.all(writers);
  stop = true;
  await put('end');
  for (const reader of readers) {
    const versions = new Map<string, number>();
    for (let told = await reader.next(); told.data.document_name !== 'end'; told = await reader.next()) {
      if (told.event !== 'document') continue;
      const { document_name, version } = told.data;
      const before = versions.get(document_name);
      if (before !== undefined) assert.is(version, before + 1);
      versions.set(document_name, version);
    }
    assert.equal(
      [...versions].sort(),
      NAMES.map((name) => [name, WRITES]),
    );
    assert.is(reader.status, 200);
  }
  assert.is(rest.log.filter(({ level }) => level >= 50).length, 0);
});

test('all readers get the same, in the order in which it became durable', async ({ rest, id, follow }) => {
  const readers = await Promise.all([follow(), follow()]);
  for (const reader of readers) await reader.state();
  const order: string[] = [];
  rest.twins.watch(id, ({ name, document }) => order.push(`${name} ${document?.version}`));
  for (let n = 0; n < 50; n += 1) {
    rest.twins.put(id, `d${n % 7}`, { version: 0, data: { n } }, () => undefined);
  }
  await until(() => order.length === 50);
  for (const reader of readers) {
    const told = await reader.take(50);
    assert.equal(
      told.map(({ data }) => `${data.document_name} ${data.version}`),
      order,
    );
  }
});

test('a reader that comes back with its last id gets what changed since, and nothing else', async ({
  rest,
  id,
  twin,
  put,
  follow,
}) => {
  for (const name of ['same', 'changed', 'deleted', 'again']) await put(name);
  const reader = await follow();
  const lastEventId = (await reader.state()).at(-1)?.id ?? '';
  reader.close();
  await put('changed');
  await put('changed');
  await rest.ask('DELETE', `${twin}/documents/deleted`);
  await rest.ask('DELETE', `${twin}/documents/again`);
  await put('again');
  await put('new');
  rest.devices.presence.connected(id);
  const back = await follow({ lastEventId });
  const told = await back.take(5);
  assert.equal(told.map(brief), [
    'document_deleted deleted',
    'document again 1',
    'document changed 3',
    'document new 1',
    'presence true',
  ]);
  const lastId = told.at(-1)?.id ?? '';
  back.close();
  const idle = await follow({ lastEventId: lastId });
  await put('same');
  assert.is(brief(await idle.next()), 'document same 2', 'there was nothing to tell');
});

test('the id of a change is as good as that of the state', async ({ put, follow }) => {
  await put('a');
  const reader = await follow();
  await reader.state();
  await put('b');
  const { id: lastEventId } = await reader.next();
  await put('a');
  const back = await follow({ lastEventId });
  assert.is(brief(await back.next()), 'document a 2');
});

test('a reader that was cut off in the middle of the state gets the rest', async ({ put, follow }) => {
  for (const name of ['a', 'b', 'c']) await put(name);
  const [, a] = await (await follow()).state();
  const back = await follow({ lastEventId: a?.id ?? '' });
  assert.equal((await back.take(3)).map(brief), ['document b 1', 'document c 1', 'presence false']);
});

test('with an id that says nothing the whole state comes', async ({ put, follow }) => {
  await put('a');
  for (const lastEventId of ['', '42', 'null', '+abc,../x:1:1', 'x'.repeat(5000)]) {
    const reader = await follow({ lastEventId });
    assert.equal((await reader.state()).map(brief), ['twin', 'document a 1', 'presence false'], lastEventId);
    reader.close();
  }
});

test('a token that may read the documents may follow them, and another may not', async ({
  rest,
  follow,
  twin,
}) => {
  for (const role of ['owner', 'app', 'reader'] as const) {
    assert.is((await follow({ token: await rest.newToken(role) })).status, 200, role);
  }
  assert.is((await rest.ask('GET', `${twin}/events`, { token: null })).status, 401);
  const { secret } = await rest.tokens.create({ role: 'app', twin_ids: [(await rest.newDevice()).id] });
  assert.is((await rest.ask('GET', `${twin}/events`, { token: secret })).status, 403);
  const unknown = '00000000-0000-4000-8000-000000000000';
  assert.is((await rest.ask('GET', `/twins/${unknown}/events`)).status, 404);
  assert.is((await rest.ask('GET', '/twins/x/events')).status, 400);
  assert.is((await rest.ask('POST', `${twin}/events`)).status, 405);
});

needsIn(test, 'curl')('curl -N shows each event as it comes', async ({ rest, twin, put }) => {
  await put('a', { door: 'open' });
  const url = `${rest.url}${BASE}${twin}/events`;
  const curl = spawn('curl', ['-sSN', '-H', `X-Auth-Token: ${rest.token}`, url]);
  let shown = '';
  curl.stdout.on('data', (piece) => {
    shown += piece;
  });
  await until(() => shown.includes('event: presence'));
  await put('a', { door: 'closed' });
  await until(() => shown.includes('{"door":"closed"}'));
  const complaint = text(curl.stderr);
  await rest.close();
  assert.is((await once(curl, 'exit'))[0], 0);
  assert.is(await complaint, '');
  assert.match(
    shown,
    /^event: twin\nid: \ndata: \{"twin_id":".+"documents":\[\{"document_name":"a"\}\]\}\n\n/,
  );
  assert.match(
    shown,
    /\n\nevent: document\nid: ,a:1:[0-9a-z]+\ndata: \{"twin_id":.+"data":\{"door":"open"\}.+\}\n\n/,
  );
});

test.run();
