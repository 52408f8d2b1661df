/** What arm and disarm say, and how they end. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotApplied, ORDER_EXIT } from '../../../server/cli/orders.js';
import { until } from '../../until.js';
import { startTestRest, type TestRest } from '../rest/rest.js';
import { failure } from './command-line.js';

const test = suite<{ rest: TestRest; id: string }>('orders');

test.before.each(async (context) => {
  context.rest = await startTestRest();
  context.id = (await context.rest.newDevice()).id;
});
test.after.each(({ rest }) => rest.close());

const statusOf = (error: Error): number | undefined =>
  error instanceof NotApplied ? error.exitStatus : undefined;

test('a panel that refuses is another status than one that has not confirmed', async ({ rest, id }) => {
  const printed: string[] = [];
  const print = async (text: string): Promise<void> => void printed.push(text);
  const refusing = failure(rest, ['arm', id, '--json'], { print });
  await until(async () => (await rest.ask('GET', `/twins/${id}/documents/desired`)).status === 200);
  const said = { alarm_armed: false, siren_ringing: false, door_open: true };
  const refused = { reason: 'a contact is open', contacts: ['door'] };
  await rest.ask('PUT', `/twins/${id}/documents/current`, {
    body: { data: { ...said, handled: 1, refused } },
  });
  assert.is(statusOf(await refusing), ORDER_EXIT.refused);
  const [answer = ''] = printed;
  assert.equal(JSON.parse(answer).applied, false);
  assert.equal(JSON.parse(answer).refused, refused);
});

test('an order that the panel does not confirm stands', async ({ rest, id }) => {
  // The server ends the wait at once when the device is deleted, as it does at the end of the time.
  const waiting = failure(rest, ['arm', id]);
  await until(async () => (await rest.ask('GET', `/twins/${id}/documents/desired`)).status === 200);
  await rest.ask('DELETE', `/devices/${id}`);
  const error = await waiting;
  assert.is(statusOf(error), ORDER_EXIT.notConfirmed);
  assert.match(error.message, 'the panel has not confirmed within 30 s: the order stands');
});

test('an order whose answer is lost may stand', async ({ rest, id }) => {
  const server = createServer((req) => req.socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const error = await failure(rest, ['arm', id, '--url', url]);
  assert.is(statusOf(error), ORDER_EXIT.notConfirmed);
  assert.match(error.message, /^no answer from .*; the order may stand: "status" shows what the panel says$/);
  server.close();
  await once(server, 'close');
  assert.is(statusOf(await failure(rest, ['arm', id, '--url', url])), undefined);
});

test.run();
