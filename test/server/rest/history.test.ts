import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { type Answer, startTestRest, type TestRest } from './rest.js';

interface Context {
  rest: TestRest;
  path: string;
  history: (query?: string) => Promise<Answer>;
  put: (data: object) => Promise<Answer>;
}

const test = suite<Context>('history');

test.before(async (context) => {
  context.rest = await startTestRest({ historyAnswerBytes: 100_000, histories: 4, historiesPerToken: 3 });
});
test.before.each(async (context) => {
  const { rest } = context;
  const path = `/twins/${(await rest.newDevice()).id}/documents/current`;
  context.path = path;
  context.history = (query = '') => rest.ask('GET', `${path}/history${query}`);
  context.put = (data) => rest.ask('PUT', path, { body: { data } });
});
test.after(({ rest }) => rest.close());

const versions = ({ body }: Answer): number[] =>
  body.history.map(({ version }: { version: number }) => version);

test('the versions are shown as they were answered, newest first, with the present one and what is kept', async ({
  put,
  history,
}) => {
  const written: unknown[] = [];
  for (const door_open of [false, true, false]) written.unshift((await put({ door_open })).body);
  const answer = await history();
  assert.is(answer.status, 200);
  assert.equal(answer.body, { history: written, bound: { versions: 16_384, bytes: 16 * 1024 * 1024 } });
});

test('so many are shown as are asked for, else a hundred', async ({ put, history }) => {
  for (let n = 0; n < 120; n += 1) await put({ n });
  const newest = (count: number) => Array.from({ length: count }, (_, n) => 120 - n);
  assert.equal(versions(await history()), newest(100));
  assert.equal(versions(await history('?limit=3')), newest(3));
  assert.equal(versions(await history('?limit=1000')), newest(120));
});

test('an answer goes on where the one before it ended', async ({ put, history }) => {
  for (let n = 0; n < 5; n += 1) await put({ n });
  assert.equal(versions(await history('?limit=2')), [5, 4]);
  assert.equal(versions(await history('?limit=2&before=4')), [3, 2]);
  assert.equal(versions(await history('?limit=2&before=2')), [1]);
  assert.equal(versions(await history('?limit=2&before=1')), []);
  for (const before of ['0', '-1', 'x']) assert.is((await history(`?before=${before}`)).status, 400);
});

test('versions from a time on are shown, that of the time itself included, in any time zone', async ({
  put,
  history,
}) => {
  const first = (await put({})).body;
  await until(() => Date.now() > Date.parse(first.updated_at) + 1);
  const second = (await put({})).body;
  const since = (time: string) => history(`?since=${encodeURIComponent(time)}`);
  assert.equal(versions(await since(first.updated_at)), [2, 1]);
  assert.equal(versions(await since(second.updated_at)), [2]);
  const tokyo = new Date(Date.parse(second.updated_at) + 9 * 3_600_000).toISOString().replace('Z', '+09:00');
  assert.equal(versions(await since(tokyo)), [2]);
  assert.equal(versions(await since('2999-01-01T00:00:00Z')), []);
});

test('of large versions as many are shown as an answer may hold', async ({ put, history }) => {
  for (let n = 0; n < 4; n += 1) await put({ text: 'x'.repeat(40_000) });
  assert.equal(versions(await history()), [4, 3]);
});

test('so many answers of one token may be on their way at the same time, and each that has left makes room', async ({
  rest,
  path,
  put,
  history,
}) => {
  await put({});
  const { twins } = rest;
  const { history: look } = twins;
  const looks: (() => void)[] = [];
  twins.history = (...asked) =>
    new Promise((done) => {
      looks.push(() => done(look.apply(twins, asked)));
    });
  const first = [history(), history(), history()];
  await until(() => looks.length === 3);
  const refused = await history();
  assert.is(refused.status, 429);
  assert.is(refused.body.limit.quota, 3);
  const other = rest.ask('GET', `${path}/history`, { token: await rest.newToken('reader') });
  await until(() => looks.length === 4);
  for (const go of looks.splice(0)) go();
  assert.equal(
    (await Promise.all([...first, other])).map(({ status }) => status),
    [200, 200, 200, 200],
  );
  twins.history = look;
  await until(async () => (await history()).status === 200);
});

test('the history of a deleted document begins anew, and one that does not exist has none', async ({
  rest,
  path,
  put,
  history,
}) => {
  await put({ n: 1 });
  await put({ n: 2 });
  await rest.ask('DELETE', path);
  const gone = await history();
  assert.is(gone.status, 404);
  assert.is(gone.body.resource, 'twin_document');
  await put({ n: 3 });
  assert.equal(versions(await history()), [1]);
});

test('a query that cannot be understood is refused, and the argument named', async ({ put, history }) => {
  await put({});
  const cases = [
    ['limit', '0'],
    ['limit', '1001'],
    ['limit', 'x'],
    ['limit', ''],
    ['limit', '1.5'],
    ['since', ''],
    ['since', 'yesterday'],
    ['since', '2026-03-01'],
    ['since', '1772323200000'],
    ['since', '2026-13-01T00:00:00Z'],
  ];
  for (const [argument = '', value] of cases) {
    const answer = await history(`?${argument}=${value}`);
    assert.is(answer.status, 400, `${argument}=${value}`);
    assert.is(answer.body.details[0].argument_name, argument);
  }
});

test('a token that may read the document may read its past, and another may not', async ({
  rest,
  path,
  put,
}) => {
  await put({});
  const read = async (token: string | null) => (await rest.ask('GET', `${path}/history`, { token })).status;
  for (const role of ['owner', 'app', 'reader'] as const) {
    assert.is(await read(await rest.newToken(role)), 200, role);
  }
  assert.is(await read(null), 401);
  const other = (await rest.newDevice()).id;
  assert.is(await read((await rest.tokens.create({ role: 'app', twin_ids: [other] })).secret), 403);
  assert.is((await rest.ask('GET', `${path.replace('current', '.hidden')}/history`)).status, 400);
  assert.is((await rest.ask('PUT', `${path}/history`, { body: { data: {} } })).status, 405);
});

test.run();
