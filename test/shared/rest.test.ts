import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Ask,
  allDevices,
  apiBase,
  authorityOf,
  documentPath,
  hubOf,
  type Order,
  orderArmed,
  pathOf,
  type RestError,
  refusalText,
  restErrorOf,
} from '../../shared/rest.js';

const ID = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';

test('the base is the same with and without a slash at the end of the address', () => {
  const base = 'http://a:1/iot/v1/regions/fr-par';
  assert.equal([apiBase('http://a:1', 'fr-par'), apiBase('http://a:1//', 'fr-par')], [base, base]);
  assert.is(apiBase('', 'a/b'), '/iot/v1/regions/a%2Fb');
});

test('a path carries every name as one segment', () => {
  assert.is(documentPath(ID, 'a b/c?#'), `/twins/${ID}/documents/a%20b%2Fc%3F%23`);
});

for (const name of ['', '.', '..']) {
  test(`"${name}" makes no path, for it would lead elsewhere`, () => {
    assert.throws(
      () => pathOf('devices', name),
      ({ message }: Error) => message.includes(`"${name}" is not a name`),
    );
  });
}

test('an error is read as far as it has the form of one', () => {
  const body = {
    type: 'invalid_arguments',
    message: 7,
    expected_version: 3,
    actual_version: 'x',
    details: [{ argument_name: 'version', reason: 'constraint' }, { argument_name: 'other' }],
    stack: 'at',
  };
  assert.equal(restErrorOf(body), {
    type: 'invalid_arguments',
    expected_version: 3,
    detail: { argument_name: 'version', reason: 'constraint' },
  });
  for (const odd of [undefined, null, 'x', [], { details: 'x' }, { details: [null] }])
    assert.equal(restErrorOf(odd), {});
});

test('a refusal without a text is named by its status', () => {
  assert.is(refusalText(502, {}), 'status 502');
});

/** A server that answers each call by this, and all that it was asked. */
function server(answer: (asked: string, body: object | undefined) => unknown): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const ask: Ask = async (method, path, body) => {
    asked.push(`${method} ${path}`);
    return answer(`${method} ${path}`, body);
  };
  return { ask, asked };
}

test('all devices are read, page by page', async () => {
  const pages: Record<string, number> = { 1: 100, 2: 100, 3: 0 };
  const { ask, asked } = server((call) => {
    const page = /page=(\d)/.exec(call)?.[1] ?? '';
    return { devices: Array.from({ length: pages[page] ?? 0 }, (_, n) => `${page}-${n}`) };
  });
  const devices = await allDevices<string>(ask);
  assert.equal([devices.length, devices[0], devices[199]], [200, '1-0', '2-99']);
  assert.is(asked.length, 3);
});

test('the hub and the certificate of its authority are read', async () => {
  const hub = { id: ID, endpoint: 'localhost:1883', app_urls: [] };
  const answers: Record<string, unknown> = {
    'GET /hubs': { hubs: [hub] },
    [`GET /hubs/${ID}/ca`]: { ca_cert_pem: 'PEM' },
  };
  const { ask } = server((call) => answers[call]);
  assert.equal(await hubOf(ask), hub);
  assert.is(await authorityOf(ask, hub), 'PEM');
});

test('an answer without a hub is an error that says so', async () => {
  for (const answer of [{ hubs: [] }, { message: 'something else' }]) {
    const failed = await hubOf(server(() => answer).ask).catch((error: Error) => error.message);
    assert.is(failed, 'the server has no hub');
  }
});

class Refused extends Error {
  constructor(readonly error: RestError) {
    super('refused');
  }
}
const errorOf = (rejection: unknown): RestError => (rejection instanceof Refused ? rejection.error : {});

/** The `data` that an order writes, and the calls that it makes. */
async function written(order: Order, isThere: boolean, waitSeconds?: number) {
  const { ask, asked } = server((call, body) => {
    if (call.startsWith('PATCH') && !isThere) throw new Refused({ resource: 'twin_document' });
    return body;
  });
  const { data } = await orderArmed(ask, ID, order, errorOf, waitSeconds);
  return { data: data as Record<string, unknown>, asked };
}

test('an order keeps the other keys of desired, and makes the document where there is none', async () => {
  const path = documentPath(ID, 'desired');
  assert.equal(await written({ armed: false }, true), {
    data: { alarm_armed: false },
    asked: [`PATCH ${path}`],
  });
  assert.equal(await written({ armed: false }, false), {
    data: { alarm_armed: false },
    asked: [`PATCH ${path}`, `PUT ${path}`],
  });
});

test('an order to arm names its mode and its bypass, and takes over none of an earlier one', async () => {
  const { request, ...plain } = (await written({ armed: true }, true)).data;
  assert.equal(plain, { alarm_armed: true, mode: null, bypass: null });
  const order = { armed: true, mode: 'home', bypass: ['window'] } as const;
  for (const isThere of [true, false]) {
    const { request, ...chosen } = (await written(order, isThere)).data;
    assert.equal(chosen, { alarm_armed: true, mode: 'home', bypass: ['window'] });
  }
  assert.equal(Object.keys((await written({ armed: true }, false)).data), ['alarm_armed', 'request']);
});

test('each order to arm is a new act', async () => {
  const [one, other] = [await written({ armed: true }, true), await written({ armed: true }, true)];
  assert.match(one.data.request as string, /^[-0-9a-z]{1,64}$/);
  assert.is.not(one.data.request, other.data.request);
});

test('an order can wait for the panel', async () => {
  assert.equal((await written({ armed: true }, true, 10)).asked, [
    `PATCH ${documentPath(ID, 'desired')}?wait=10`,
  ]);
});

test('an order that is refused for another reason is not written in another way', async () => {
  for (const refusal of [new Refused({ resource: 'device' }), new Error('no answer')]) {
    const { ask, asked } = server(() => {
      throw refusal;
    });
    assert.is(await orderArmed(ask, ID, { armed: true }, errorOf).catch((error) => error), refusal);
    assert.is(asked.length, 1);
  }
});

test.run();
