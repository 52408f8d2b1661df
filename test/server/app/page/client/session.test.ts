/** A paired phone and a server that is away for a while: what is kept, sent and tried again. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PAUSES } from '../../../../../server/app/page/client/pauses.js';
import { Session } from '../../../../../server/app/page/client/session.js';
import { initial } from '../../../../../server/app/page/state/app.js';
import { KEPT_MS } from '../../../../../server/app/page/state/kept-orders.js';
import { Store } from '../../../../../server/app/page/state/store.js';
import { until } from '../../../../until.js';
import { BASE, startTestRest, type TestRest } from '../../../rest/rest.js';
import '../state/world.js';

interface Context {
  rest: TestRest;
  store: Store;
  session: Session;
  id: string;
  /** Whether the server is reached. */
  network: { isThere: boolean };
}

const test = suite<Context>('the session of a phone');
const { fetch: realFetch } = globalThis;

test.before.each(async (context) => {
  const network = { isThere: true };
  globalThis.fetch = async (input, init) => {
    if (!network.isThere) throw new TypeError('the network is away');
    return realFetch(input, init);
  };
  const rest = await startTestRest();
  const { id } = await rest.newDevice();
  const ringing = { alarm_armed: true, siren_ringing: true, door_open: true };
  await rest.ask('PUT', `/twins/${id}/documents/current`, { body: { data: ringing } });
  await rest.ask('PUT', `/twins/${id}/documents/desired`, { body: { data: { alarm_armed: true } } });
  const store = new Store(initial(Date.now()));
  store.dispatch({ type: 'paired', token: rest.token });
  const session = new Session(store, rest.url + BASE, rest.token, () => undefined);
  store.onChange((state, before) => session.follow(state, before, true));
  Object.assign(context, { rest, store, session, id, network });
  await until(() => store.state.link.kind === 'live');
});
test.after.each(async ({ rest, session }) => {
  session.end();
  globalThis.fetch = realFetch;
  await rest.close();
});

const wanted = async ({ rest, id }: Context): Promise<boolean> =>
  JSON.parse(
    (await realFetch(`${rest.url}${BASE}/twins/${id}/documents/desired`, {
      headers: { 'X-Auth-Token': rest.token },
    }).then((answer) => answer.text())) as string,
  ).data.alarm_armed;

/** The network goes while the siren rings, and the person disarms. */
async function pressWhileGone(context: Context): Promise<void> {
  const { session, store, network, id } = context;
  network.isThere = false;
  await session.order(id, { armed: false });
  assert.equal(Object.keys(store.state.kept), [id]);
  assert.is(store.state.panels[0]?.asked, undefined);
}

test('a press that does not reach the server is kept, and sent when it answers', async (context) => {
  const { store, session, network } = context;
  await pressWhileGone(context);
  assert.is(await wanted(context), true);
  network.isThere = true;
  session.wake();
  await until(async () => !(await wanted(context)));
  assert.equal(store.state.kept, {});
});

test('a press that was withdrawn is not sent', async (context) => {
  const { store, session, network, id } = context;
  await pressWhileGone(context);
  store.dispatch({ type: 'withdrawn', id });
  network.isThere = true;
  session.wake();
  await until(() => store.state.role === 'owner');
  await session.order(id, { armed: true, mode: 'night' });
  assert.is(await wanted(context), true);
});

test('a press that is too old when the server answers is not sent, and the app says so', async (context) => {
  const { store, session, network, id } = context;
  await pressWhileGone(context);
  const { now } = Date;
  Date.now = () => now() + KEPT_MS;
  try {
    network.isThere = true;
    session.wake();
    await until(() => store.state.fault === 'not-sent');
  } finally {
    Date.now = now;
  }
  assert.equal(store.state.kept, {});
  await session.order(id, { armed: true });
  assert.is(await wanted(context), true);
});

test('an order to arm is not kept', async ({ session, store, network, id }) => {
  network.isThere = false;
  await session.order(id, { armed: true });
  assert.equal([store.state.kept, store.state.fault], [{}, 'server-away']);
});

test('while something rings, the next try is never further away than its pause', async (context) => {
  const { rest, store, network } = context;
  network.isThere = false;
  const waits: number[] = [];
  store.onChange(({ link }, before) => {
    if (link.retryAt !== undefined && link !== before.link) waits.push(link.retryAt - Date.now());
  });
  context.session.end();
  const session = new Session(store, rest.url + BASE, rest.token, () => undefined);
  store.onChange((state, before) => session.follow(state, before, true));
  session.follow(store.state, store.state, true);
  try {
    await until(() => {
      session.wake();
      return waits.length >= 12;
    });
  } finally {
    session.end();
  }
  assert.ok(waits.every((wait) => wait <= PAUSES.awayRinging));
});

test.run();
