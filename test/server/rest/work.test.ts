/** What is counted as work of a client, besides the requests that are served. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Shares } from '../../../server/access/shares.js';
import { WORK } from '../../../server/work.js';
import { BASE, startTestRest, type TestRest } from './rest.js';

interface Context {
  rest: TestRest;
  shares: Shares;
}

const PARKED = 4;

const test = suite<Context>('work of HTTP clients');

test.before.each(async (context) => {
  context.shares = new Shares();
  context.rest = await startTestRest({ shares: context.shares, parkedRequests: PARKED });
});
test.after.each(({ rest }) => rest.close());

/** Every work that the share spends from now on. */
function spentBy(shares: Shares, key: string): number[] {
  const share = shares.of(key);
  const { spend } = share;
  const spent: number[] = [];
  share.spend = (work) => {
    spent.push(work);
    spend.call(share, work);
  };
  return spent;
}

const SOURCE = 'source 127.0.0.1';

const countOf = (spent: readonly number[], work: number): number =>
  spent.filter((each) => each === work).length;

const PIECES = 50;

/** A body of so many bytes, each in a chunk of its own. */
const chunked = (body: string): string =>
  `${[...body].map((letter) => `1\r\n${letter}\r\n`).join('')}0\r\n\r\n`;

const put = (path: string, ...headers: string[]): string =>
  [
    `PUT ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    'Transfer-Encoding: chunked',
    ...headers,
    '',
    '',
  ].join('\r\n');

test('the head of each request is work, also of those that come behind too many others and are not served', async ({
  rest,
  shares,
}) => {
  const spent = spentBy(shares, SOURCE);
  const count = 5 * PARKED;
  await rest.raw('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(count));
  const heads = spent.filter((work) => work >= WORK.parsedHead && work < WORK.httpRequest);
  assert.is(heads.length, count);
  assert.ok(countOf(spent, WORK.httpRequest) < count);
});

test('each piece of a body is work, and the pieces are put together', async ({ rest, shares }) => {
  const { id } = await rest.newDevice();
  const secret = await rest.newToken('app');
  const [token] = rest.tokens.list().filter(({ role }) => role === 'app');
  const spent = spentBy(shares, `token ${token?.id}`);
  const body = `{"data":{"text":"${'0123456789'.repeat(PIECES / 10)}"}}`;
  const request = put(`${BASE}/twins/${id}/documents/d`, `X-Auth-Token: ${secret}`);
  const answer = await rest.raw(request + chunked(body));
  assert.ok(answer.startsWith('HTTP/1.1 200 '), answer);
  assert.ok(answer.includes(body.slice('{"data":'.length, -1)), answer);
  assert.is(countOf(spent, WORK.bodyPiece), body.length);
});

test('each piece of a body that is thrown away is work too', async ({ rest, shares }) => {
  const spent = spentBy(shares, SOURCE);
  const answer = await rest.raw(put('/nowhere') + chunked('x'.repeat(PIECES)));
  assert.ok(answer.startsWith('HTTP/1.1 404 '), answer);
  assert.is(countOf(spent, WORK.bodyPiece), PIECES);
});

test('a connection that goes over to another share ends the turn of the first, in which it was read', async ({
  rest,
  shares,
}) => {
  const source = shares.of(SOURCE);
  let ended = 0;
  source.endTurn = () => {
    ended += 1;
  };
  assert.is((await rest.ask('GET', '/hubs')).status, 200);
  assert.is(ended, 1);
});

test.run();
