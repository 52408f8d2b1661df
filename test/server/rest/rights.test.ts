/**
 * The rights of a token are judged in the turn in which a change is decided. Each route that changes something is asked,
 * and the token loses its rights while the request waits.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Permission } from '../../../server/access/permissions.js';
import type { Token } from '../../../server/access/tokens.js';
import { type Method, Router } from '../../../server/rest/router.js';
import { BASE, bodyOf, startTestRest, statusOf, type TestRest } from './rest.js';

interface Context {
  rest: TestRest;
  clock: { now: Date };
  id: string;
  /** The token that a request is about. */
  spare: Token;
  token: Token;
  secret: string;
  /** The key by which push services know the server. */
  vapid: string;
}

/** How a route is asked. The answer is 2xx while the token has its rights. */
interface Asking {
  readonly path: (context: Context) => string;
  /** Absent when the route reads no body. */
  readonly body?: (context: Context) => object;
  /** Its path names a device or a twin. */
  readonly ofDevice: boolean;
  /** It changes nothing and waits for nothing. */
  readonly atOnce?: true;
  /** Every valid token has the right. */
  readonly ofAnyToken?: true;
  /** What it would change does not exist in these tests. */
  readonly isMissing?: true;
  /** What it changes is in no file of the storage. */
  readonly opensNoFile?: true;
}

/** A phone, with the keys of the worked example of RFC 8291. */
const SUBSCRIPTION = {
  endpoint: 'https://push.example/1',
  keys: {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  },
};

const DOCUMENT = '/twins/:twin_id/documents/:document_name';
const ofDocument = ({ id }: Context): string => `/twins/${id}/documents/desired`;
const ofDevice = (rest: string): Asking => ({ path: ({ id }) => `/devices/${id}${rest}`, ofDevice: true });

const ROUTES: Record<string, Asking> = {
  [`PUT ${DOCUMENT}`]: { path: ofDocument, body: () => ({ data: { n: 2 } }), ofDevice: true },
  [`PATCH ${DOCUMENT}`]: { path: ofDocument, body: () => ({ data: { n: 2 } }), ofDevice: true },
  [`DELETE ${DOCUMENT}`]: { path: ofDocument, ofDevice: true },
  'DELETE /twins/:twin_id': { path: ({ id }) => `/twins/${id}`, ofDevice: true },
  'POST /devices': { path: () => '/devices', body: () => ({ name: 'n' }), ofDevice: false },
  'PATCH /devices/:device_id': { ...ofDevice(''), body: () => ({ description: 'd' }) },
  'DELETE /devices/:device_id': ofDevice(''),
  'POST /devices/:device_id/enable': ofDevice('/enable'),
  'POST /devices/:device_id/disable': ofDevice('/disable'),
  'POST /devices/:device_id/renew-certificate': ofDevice('/renew-certificate'),
  'POST /tokens': { path: () => '/tokens', body: () => ({ role: 'owner' }), ofDevice: false },
  'DELETE /tokens/self': { path: () => '/tokens/self', ofDevice: false, ofAnyToken: true },
  'DELETE /tokens/:token_id': { path: ({ spare }) => `/tokens/${spare.id}`, ofDevice: false },
  'PUT /tokens/self/pin': {
    path: () => '/tokens/self/pin',
    body: () => ({ pin: '4711' }),
    ofDevice: false,
    ofAnyToken: true,
  },
  'PUT /tokens/:token_id/pin': {
    path: ({ spare }) => `/tokens/${spare.id}/pin`,
    body: () => ({ pin: '4711' }),
    ofDevice: false,
  },
  'POST /alerts/:alert_id/acknowledge': {
    path: ({ id }) => `/alerts/${id}/acknowledge`,
    ofDevice: false,
    atOnce: true,
    isMissing: true,
  },
  'PUT /alerts/mutes/:twin_id': {
    path: ({ id }) => `/alerts/mutes/${id}`,
    body: ({ rest }) => ({ until: new Date(rest.storage.now() + 60_000).toISOString() }),
    ofDevice: true,
  },
  'DELETE /alerts/mutes/:twin_id': { path: ({ id }) => `/alerts/mutes/${id}`, ofDevice: true },
  'PUT /alerts/channels': {
    path: () => '/alerts/channels',
    body: () => ({ channels: [] }),
    ofDevice: false,
    opensNoFile: true,
  },
  'POST /alerts/subscriptions': {
    path: () => '/alerts/subscriptions',
    body: ({ vapid }) => ({ ...SUBSCRIPTION, application_server_key: vapid }),
    ofDevice: false,
    ofAnyToken: true,
  },
  'DELETE /alerts/subscriptions/:subscription_id': {
    path: () => '/alerts/subscriptions/x',
    ofDevice: false,
    atOnce: true,
    isMissing: true,
  },
  'POST /alerts/subscriptions/:subscription_id/test': {
    path: () => '/alerts/subscriptions/x/test',
    ofDevice: false,
    atOnce: true,
    isMissing: true,
  },
  'POST /alerts/channels/:channel_id/test': {
    path: () => '/alerts/channels/x/test',
    ofDevice: false,
    atOnce: true,
    isMissing: true,
  },
  'POST /hubs/:hub_id/enable': {
    path: ({ rest }) => `/hubs/${rest.hubId}/enable`,
    ofDevice: false,
    atOnce: true,
  },
};

/** How a token loses its rights, and the answer to a request that waits meanwhile. */
const LOSSES: Record<string, [lose: (context: Context) => unknown, status: number, type: string]> = {
  'was revoked': [({ rest, token }) => rest.tokens.revoke(token.id), 401, 'denied_authentication'],
  'has expired': [
    ({ clock }) => (clock.now = new Date('2026-03-02T00:00:00Z')),
    401,
    'denied_authentication',
  ],
  'has another role': [({ token }) => Object.assign(token, { role: 'reader' }), 403, 'permissions_denied'],
  'is for other twins': [
    ({ token, spare }) => Object.assign(token, { twin_ids: [spare.id] }),
    403,
    'permissions_denied',
  ],
  'has lost its device': [({ rest, id }) => rest.devices.remove(id), 404, 'not_found'],
};

const test = suite<Context>('rights when they are used');
const registered: { route: string; method: Method; permission: Permission }[] = [];
const { onInTurn } = Router.prototype;

test.before(() => {
  Router.prototype.onInTurn = function (method, path, permission, handler) {
    registered.push({ route: `${method} ${path}`, method, permission });
    return onInTurn.call(this, method, path, permission, handler);
  };
});
test.after(() => {
  Router.prototype.onInTurn = onInTurn;
});

test.before.each(async (context) => {
  const clock = { now: new Date('2026-03-01T00:00:00Z') };
  const rest = await startTestRest({}, () => clock.now);
  const { id } = await rest.newDevice();
  const { token: spare } = await rest.tokens.create({ role: 'owner' });
  await rest.tokens.create({ role: 'owner' });
  const made = await rest.tokens.create({ role: 'owner', expires_at: '2026-03-01T12:00:00.000Z' });
  const vapid = (await rest.subscriptions.key()).id;
  Object.assign(context, { rest, clock, id, spare, token: made.token, secret: made.secret, vapid });
  await rest.ask('PUT', ofDocument(context), { body: { data: { n: 1 } } });
});
test.after.each(({ rest }) => rest.close());

/** Every document that is stored. */
async function stored({ storage }: TestRest): Promise<unknown> {
  const names = (await storage.list('')).sort();
  return names.flatMap((name) => [...storage.stored(name)]);
}

/** Sends a request but for its body. @param length the headers that tell of the body */
function begin(context: Context, route: string, length: string): Socket {
  const { rest, secret } = context;
  const [method] = route.split(' ');
  const socket = connect(rest.port, '127.0.0.1').setEncoding('utf8');
  socket.write(
    `${method} ${BASE}${ROUTES[route]?.path(context)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
      `X-Auth-Token: ${secret}\r\n${length}\r\n`,
  );
  return socket;
}

/** What still comes until the server closes. */
async function answerOn(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

/** Holds the next call on a file, as when the file is read from disk. The calls after it are not held. */
function holdNextCall({ storage }: TestRest): { held: Promise<void>; release: () => void } {
  const { change, read } = storage;
  let release: () => void = () => undefined;
  const released = new Promise<void>((done) => {
    release = done;
  });
  const held = new Promise<void>((begun) => {
    const hold = (call: () => void) => {
      Object.assign(storage, { change, read });
      begun();
      released.then(call);
    };
    storage.change = (...given) => hold(() => change(...given));
    storage.read = (...given) => hold(() => read(...given));
  });
  return { held, release };
}

test('every route that may change something is in the table', () => {
  const writing = registered.filter(
    ({ method, permission }) => method !== 'GET' && permission.action === 'write',
  );
  assert.equal(new Set(writing.map(({ route }) => route)), new Set(Object.keys(ROUTES)));
});

test('a route with another right than to write changes nothing', () => {
  const others = registered.filter(
    ({ method, permission }) => method !== 'GET' && permission.action === 'read',
  );
  assert.ok(others.length > 0);
  for (const { route } of others) {
    assert.match(route, /^\w+ \/(hubs\/:hub_id|routes|networks|devices\/:device_id\/certificate)/);
  }
});

for (const [route, asking] of Object.entries(ROUTES)) {
  const { body } = asking;
  for (const [loss, [lose, status, type]] of Object.entries(LOSSES)) {
    if (asking.ofAnyToken && status === 403) continue;
    if (asking.atOnce || (!asking.ofDevice && loss === 'has lost its device')) continue;

    if (body !== undefined) {
      test(`${route} changes nothing when the token ${loss} before the body is there`, async (context) => {
        const json = JSON.stringify(body(context));
        const head = `Expect: 100-continue\r\nContent-Length: ${json.length}\r\n`;
        const socket = begin(context, route, head);
        assert.match(String(await once(socket, 'data')), /^HTTP\/1.1 100 /);
        await lose(context);
        const before = await stored(context.rest);
        socket.write(json);
        const answer = await answerOn(socket);
        assert.equal([statusOf(answer), bodyOf(answer).type], [status, type]);
        assert.equal(await stored(context.rest), before);
      });
    }

    if (asking.opensNoFile) continue;

    test(`${route} changes nothing when the token ${loss} while a file is read`, async (context) => {
      const { held, release } = holdNextCall(context.rest);
      const json = body === undefined ? '' : JSON.stringify(body(context));
      const socket = begin(context, route, `Content-Length: ${json.length}\r\n`);
      socket.write(json);
      await held;
      await lose(context);
      const before = await stored(context.rest);
      release();
      const answer = await answerOn(socket);
      assert.equal([statusOf(answer), bodyOf(answer).type], [status, type]);
      assert.equal(await stored(context.rest), before);
    });
  }

  test(`${route} succeeds when the token keeps its rights`, async (context) => {
    const json = body === undefined ? '' : JSON.stringify(body(context));
    const socket = begin(context, route, `Content-Length: ${json.length}\r\n`);
    socket.write(json);
    assert.match(await answerOn(socket), asking.isMissing ? /^HTTP\/1.1 404 / : /^HTTP\/1.1 20[04] /);
  });
}

test('a reader whose token is revoked while a file is read gets nothing of it', async (context) => {
  for (const path of [ofDocument(context), `${ofDocument(context)}/history`, '/hubs', '/devices']) {
    const { token, secret } = await context.rest.tokens.create({ role: 'reader' });
    const { held, release } = holdNextCall(context.rest);
    const answer = context.rest.ask('GET', path, { token: secret });
    await held;
    await context.rest.tokens.revoke(token.id);
    release();
    assert.is((await answer).status, 401, path);
  }
});

test('a token can revoke itself, and the server answers 204', async ({ rest, token, secret }) => {
  const { status } = await rest.ask('DELETE', `/tokens/${token.id}`, { token: secret });
  assert.is(status, 204);
});

test('a write that waits for the panel is answered when its token is revoked', async (context) => {
  const { rest, token, secret } = context;
  const asked = rest.ask('PUT', `${ofDocument(context)}?wait=30`, {
    token: secret,
    body: { data: { alarm_armed: true } },
  });
  const written = new Promise<void>((done) => rest.twins.watch(context.id, () => done()));
  await written;
  await rest.tokens.revoke(token.id);
  const { status, body } = await asked;
  assert.equal([status, body.applied], [202, false]);
});

test.run();
