/** Names in the place of ids. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestRest, type TestRest } from '../rest/rest.js';
import { fail, say } from './command-line.js';

interface Context {
  rest: TestRest;
  /** The id of the one device of the name `front door`. */
  id: string;
}

const test = suite<Context>('names for ids');

const create = async (rest: TestRest, name: string, description = ''): Promise<string> =>
  (await rest.ask('POST', '/devices', { body: { name, description } })).body.device.id;

test.before.each(async (context) => {
  context.rest = await startTestRest();
  context.id = await create(context.rest, 'front door');
});
test.after.each(({ rest }) => rest.close());

test('every command takes the name of a device where it takes its id', async ({ rest, id }) => {
  await say(rest, 'arm', 'front door', '--no-wait');
  assert.is((await rest.ask('GET', `/twins/${id}/documents/desired`)).body.data.alarm_armed, true);
  assert.is(await say(rest, 'get', 'front door'), 'desired\n');
  assert.match(await say(rest, 'put', 'front door', 'd', '{}'), 'd, version 1');
  assert.match(await say(rest, 'patch', 'front door', 'd', '{"a":1}'), 'd, version 2');
  assert.match(await say(rest, 'status', 'front door'), 'front door: not heard of yet');
  assert.match(await say(rest, 'device', 'show', 'front door'), id);
  assert.match(await say(rest, 'device', 'renew', 'front door'), id);
  const { token } = JSON.parse(await say(rest, 'pair', 'front door', '--json'));
  assert.equal(token.twin_ids, [id]);
  const other = await create(rest, 'lamp');
  const made = JSON.parse(await say(rest, 'token', 'create', '--twin', `front door, ${other}`, '--json'));
  assert.equal(made.token.twin_ids, [id, other]);
  await say(rest, 'device', 'delete', 'front door', '--yes');
  assert.match(await fail(rest, ['device', 'show', id]), `no such device: ${id}`);
});

test('a token is revoked by its description, too', async ({ rest }) => {
  await say(rest, 'pair', '--description', 'kitchen tablet');
  await say(rest, 'token', 'revoke', 'kitchen tablet');
  assert.match(await fail(rest, ['token', 'revoke', 'kitchen tablet']), /^no such token: kitchen tablet/);
});

test('a token of the role app for one panel finds that panel by its name, and no other', async ({ rest }) => {
  await create(rest, 'lamp');
  const { secret } = JSON.parse(await say(rest, 'pair', 'front door', '--json'));
  await say(rest, 'arm', 'front door', '--no-wait', '--token', secret);
  assert.match(await fail(rest, ['arm', 'lamp', '--no-wait', '--token', secret]), /^no such device: lamp/);
});

test('an unknown name says which one is like it, or where all are', async ({ rest }) => {
  assert.is(await fail(rest, ['arm', 'front dor']), 'no such device: front dor: did you mean front door?');
  assert.is(await fail(rest, ['arm', 'front']), 'no such device: front: did you mean front door?');
  assert.is(await fail(rest, ['arm', 'garage']), 'no such device: garage; "device list" shows all');
});

test('two devices of one name are distinguished in the error', async ({ rest, id }) => {
  const other = await create(rest, 'front door', 'at the back');
  const said = await fail(rest, ['status', 'front door']);
  assert.match(said, /^2 devices have the name front door\. Give the id of one: /);
  assert.match(said, `${id} (last activity never, made `);
  assert.match(said, `${other} (at the back, last activity never, made `);
});

test('a name that has the form of an id is an id', async ({ rest, id }) => {
  await create(rest, id);
  assert.match(await say(rest, 'device', 'show', id), /^name +front door$/m);
});

test.run();
