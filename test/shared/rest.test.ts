import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Ask,
  allDevices,
  apiBase,
  authorityOf,
  documentPath,
  hubOf,
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

test('an order keeps the other keys of desired, and makes the document where there is none', async () => {
  const isThere = server((_, body) => body);
  assert.equal(await orderArmed(isThere.ask, ID, true, errorOf), { data: { alarm_armed: true } });
  assert.equal(isThere.asked, [`PATCH ${documentPath(ID, 'desired')}`]);
  const isMissing = server((call, body) => {
    if (call.startsWith('PATCH')) throw new Refused({ resource: 'twin_document' });
    return body;
  });
  assert.equal(await orderArmed(isMissing.ask, ID, false, errorOf), { data: { alarm_armed: false } });
  assert.is(isMissing.asked.length, 2);
});

test('an order that is refused for another reason is not written in another way', async () => {
  for (const refusal of [new Refused({ resource: 'device' }), new Error('no answer')]) {
    const { ask, asked } = server(() => {
      throw refusal;
    });
    assert.is(await orderArmed(ask, ID, true, errorOf).catch((error) => error), refusal);
    assert.is(asked.length, 1);
  }
});

test.run();
