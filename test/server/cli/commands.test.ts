/** The commands in this process, against the REST interface in it. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../server/access/secret.js';
import { until } from '../../until.js';
import { startReceiver } from '../alerts/receiver.js';
import { AUTHORITY, startTestRest, type TestRest } from '../rest/rest.js';
import { fail, say } from './command-line.js';

const test = suite<{ rest: TestRest; id: string }>('commands');

test.before(async (context) => {
  context.rest = await startTestRest();
});
test.before.each(async (context) => {
  context.id = (await context.rest.newDevice()).id;
});
test.after(({ rest }) => rest.close());

test('pairs a phone by a link with a new token, for all panels or one', async ({ rest, id }) => {
  for (const [args, twin_ids] of [
    [[], null],
    [[id], [id]],
  ] as const) {
    const said = await say(rest, 'pair', ...args);
    const [, url, secret = ''] = /(http:\S+)\/#token=(\S+)/.exec(said) ?? [];
    assert.is(url, rest.url);
    const { body } = await rest.ask('GET', '/tokens/self', { token: secret });
    assert.equal([body.role, body.twin_ids, body.description], ['app', twin_ids, 'phone']);
  }
  const { urls, secret } = JSON.parse(await say(rest, 'pair', '--role', 'reader', '--json'));
  assert.equal(urls, [rest.url]);
  assert.is((await rest.ask('GET', '/tokens/self', { token: secret })).body.role, 'reader');
});

test('pairs with its own token with --own, and makes no other', async ({ rest }) => {
  const before = (await rest.ask('GET', '/tokens')).body.tokens.length;
  assert.match(await say(rest, 'pair', '--own'), `#token=${rest.token}`);
  assert.is((await rest.ask('GET', '/tokens')).body.tokens.length, before);
});

test('makes, lists and revokes a token', async ({ rest }) => {
  const expires = '2999-01-31T12:00:00Z';
  const made = await say(
    rest,
    'token',
    'create',
    '--role',
    'app',
    '--description',
    'phone',
    '--expires',
    expires,
  );
  const [secret = '', sentence = ''] = made.split('\n');
  assert.is(rest.tokens.authenticate(secret).role, 'app');
  const { id } = rest.tokens.authenticate(secret);
  assert.ok(sentence.endsWith(id), sentence);
  const lines = (await say(rest, 'token', 'list')).split('\n');
  assert.match(lines[0] ?? '', /^id +role +twins +created +last seen +expires +description$/);
  assert.match(
    lines.find((line) => line.startsWith(id)) ?? '',
    / app +all twins .* 2999-01-31T12:00:00.000Z +phone$/,
  );
  assert.is(await say(rest, 'token', 'revoke', id), 'done\n');
  assert.throws(() => rest.tokens.authenticate(secret), /denied authentication/);
  assert.is(await fail(rest, ['token', 'revoke', id]), `no such token: ${id}`);
});

test('makes a token for some twins, and shows which', async ({ rest, id }) => {
  const { id: other } = await rest.newDevice();
  const made = await say(rest, 'token', 'create', '--role', 'reader', '--twin', `${id}, ${other}`);
  const [secret = '', sentence] = made.split('\n');
  assert.equal(rest.tokens.authenticate(secret).twin_ids, [id, other]);
  assert.match(sentence ?? '', `of role reader for ${id}, ${other}, shown this once`);
  assert.match(await say(rest, 'token', 'list'), ` reader  ${id}, ${other} `);
  const unknown = randomUUID();
  assert.is(await fail(rest, ['token', 'create', '--twin', unknown]), `no such device: ${unknown}`);
  assert.match(await fail(rest, ['token', 'create', '--twin', 'x']), /^no such device: x/);
});

test('keeps the last owner token, and says so', async ({ rest }) => {
  const [secret = ''] = (await say(rest, 'token', 'create')).split('\n');
  const { id } = rest.tokens.authenticate(secret);
  assert.match(await fail(rest, ['token', 'revoke', id]), 'the last owner token');
  assert.is(rest.tokens.authenticate(secret).id, id);
});

test('makes, shows, lists and deletes a device', async ({ rest }) => {
  const made = await say(rest, 'device', 'create', 'front door', '--description', 'd', '--allow-insecure');
  const [, id = '', password = ''] = /^id +(\S+)\npassword +(\S+)\n/.exec(made) ?? [];
  assert.is((await rest.devices.authenticate(id, Buffer.from(password)))?.id, id);
  const shown = await say(rest, 'device', 'show', id);
  assert.match(shown, /^name +front door$/m);
  assert.match(shown, /^allow_insecure +true$/m);
  assert.match(shown, /^allow_multiple_connections +false$/m);
  assert.match(shown, /^last_activity_at +never$/m);
  assert.match(await say(rest, 'device', 'list'), new RegExp(`^${id} +front door +enabled +no +never$`, 'm'));
  assert.is(await say(rest, 'device', 'delete', id, '--yes'), 'done\n');
  assert.is(await fail(rest, ['device', 'show', id]), `no such device: ${id}`);
});

test("prints the authority's certificate", async ({ rest }) => {
  assert.is(await say(rest, 'ca'), AUTHORITY);
  assert.equal(JSON.parse(await say(rest, 'ca', '--json')), { ca_cert_pem: AUTHORITY });
});

test('shows certificate and key of a new device once, or leaves them in files for their owner alone', async ({
  rest,
}) => {
  assert.match(await say(rest, 'device', 'create', 'n'), /^certificate .+\n?key of certificate/m);
  const directory = join(mkdtempSync(join(tmpdir(), 'twin-cli-')), 'below');
  const made = JSON.parse(await say(rest, 'device', 'create', 'n', '--save', directory, '--json'));
  const saved = () =>
    ['ca.crt', 'device.crt', 'device.key'].map((name) => readFileSync(join(directory, name), 'utf8'));
  assert.equal(saved(), [AUTHORITY, made.certificate.crt, made.certificate.key]);
  assert.is(statSync(join(directory, 'device.key')).mode & 0o777, 0o600);
  const said = await say(rest, 'device', 'renew', made.device.id, '--save', directory);
  assert.not.ok(said.includes('certificate ') && said.includes('key of'));
  const [, crt = '', key] = saved();
  assert.is.not(crt, made.certificate.crt);
  assert.is(key, `key of ${crt}`);
  assert.is((await rest.devices.certified(made.device.id, digest(crt)))?.id, made.device.id);
  const [, password = ''] = /^password +(\S+)$/m.exec(said) ?? [];
  assert.ok(await rest.devices.authenticate(made.device.id, Buffer.from(password)));
  rmSync(join(directory, '..'), { recursive: true });
});

test('renews with the key type of the option', async ({ rest, id }) => {
  assert.match(await say(rest, 'device', 'renew', id), ', ecdsa');
  assert.match(await say(rest, 'device', 'renew', id, '--key-type', 'rsa'), ', rsa');
  assert.match(await fail(rest, ['device', 'renew', id, '--key-type', 'des']), /^--key-type des: /);
});

test('lists more devices than a page holds', async () => {
  const rest = await startTestRest();
  for (let n = 0; n < 205; n += 1) await rest.newDevice();
  const { devices } = JSON.parse(await say(rest, 'device', 'list', '--json'));
  assert.is(new Set(devices.map(({ id }: { id: string }) => id)).size, 205);
  await rest.close();
});

test('arms and disarms, and leaves what else is desired', async ({ rest, id }) => {
  await say(rest, 'arm', id, '--mode', 'home', '--bypass', 'window,side door', '--no-wait');
  const path = `/twins/${id}/documents/desired`;
  const { request, ...chosen } = (await rest.ask('GET', path)).body.data;
  assert.equal(chosen, { alarm_armed: true, mode: 'home', bypass: ['window', 'side door'] });
  await rest.ask('PUT', path, { body: { data: { alarm_armed: true, siren: 'loud' } } });
  const { version, data } = JSON.parse(await say(rest, 'disarm', id, '--no-wait', '--json'));
  assert.is(version, 3);
  assert.equal(data, { alarm_armed: false, siren: 'loud' });
});

test('an arming without a mode and a bypass takes over none of an earlier one', async ({ rest, id }) => {
  await say(rest, 'arm', id, '--mode', 'night', '--bypass', 'window', '--no-wait');
  await say(rest, 'arm', id, '--no-wait');
  const { body } = await rest.ask('GET', `/twins/${id}/documents/desired`);
  assert.equal(Object.keys(body.data), ['alarm_armed', 'request']);
});

/** The panel reports this about the order that is written next. */
async function reports(rest: TestRest, id: string, said: object): Promise<void> {
  const plain = { alarm_armed: false, siren_ringing: false, door_open: false };
  await rest.ask('PUT', `/twins/${id}/documents/current`, { body: { data: { ...plain, ...said } } });
}

test('waits until the panel has followed, and says its state', async ({ rest, id }) => {
  const waiting = say(rest, 'arm', id);
  await until(async () => (await rest.ask('GET', `/twins/${id}/documents/desired`)).status === 200);
  await reports(rest, id, { alarm_armed: true, mode: 'away', state: 'arming' });
  assert.is(await waiting, 'The panel is arming.\n');
  await reports(rest, id, { alarm_armed: false });
  assert.is(await say(rest, 'disarm', id), 'The panel is disarmed.\n');
});

test('says why the panel has not followed', async ({ rest }) => {
  const refused = { reason: 'a contact is open', contacts: ['window', 'side door'] };
  for (const [said, message] of [
    [{ handled: 1, refused }, /^the panel refused: a contact is open: window, side door$/],
    [
      { handled: 1, refused: { reason: 'not a valid value', key: 'bypass' } },
      /^the panel refused: a name in --bypass is none of its contacts$/,
    ],
    [
      { handled: 1, refused: { reason: 'not a valid value', key: 'exit_delay' } },
      /^the panel refused: not a valid value: exit_delay$/,
    ],
    [{ handled: 1, fault: 'flash' }, /^the panel cannot follow: fault flash$/],
  ] as const) {
    const { id: another } = await rest.newDevice();
    const waiting = fail(rest, ['arm', another]);
    await until(async () => (await rest.ask('GET', `/twins/${another}/documents/desired`)).status === 200);
    await reports(rest, another, said);
    assert.match(await waiting, message);
  }
});

test('prints what the panel last said', async ({ rest, id }) => {
  const name = (await rest.ask('GET', `/devices/${id}`)).body.name;
  assert.is(await say(rest, 'status', id), `${name}: not heard of yet\n`);
  await reports(rest, id, { door_open: true, last_alarm: { contacts: ['door'] } });
  assert.match(
    await say(rest, 'status', id),
    /: disarmed\ndoor open\nsiren silent\nlast alarm door\nno contact, last report \S+Z\n$/,
  );
  await reports(rest, id, {
    alarm_armed: true,
    state: 'arming',
    mode: 'home',
    until: '2026-11-26T12:00:00.000Z',
    contacts: {
      door: { open: true, kind: 'entry' },
      window: { open: false, kind: 'instant', bypassed: true },
      smoke: { open: false, kind: 'always', fault: 'cut' },
      switch: { open: true, kind: 'key' },
    },
  });
  assert.match(
    await say(rest, 'status', id),
    /: arming, mode home, until 2026-11-26T12:00:00.000Z\ndoor open\nwindow closed, left out\nsmoke line cut\nsiren silent\n/,
  );
  assert.equal(Object.keys(JSON.parse(await say(rest, 'status', id, '--json'))), ['device', 'current']);
});

test('lists and acknowledges alerts, and tests a channel', async ({ rest, id }) => {
  assert.is(await say(rest, 'alerts'), 'no alerts\n');
  const receiver = await startReceiver();
  const channels = [{ id: 'hook', type: 'webhook', url: receiver.url, allow_private: true }];
  await rest.ask('PUT', '/alerts/channels', { body: { channels } });
  await reports(rest, id, { siren_ringing: true, last_alarm: { contacts: ['smoke'] } });
  await receiver.count(1);
  const [, alertId = ''] =
    /^(\S{36}) .* raised +triggered +test +smoke$/m.exec(await say(rest, 'alerts')) ?? [];
  assert.is(await say(rest, 'alerts', 'ack', alertId), 'acknowledged, by TWIN_TOKEN\n');
  assert.match(await say(rest, 'alerts'), 'acknowledged (TWIN_TOKEN)');
  assert.is(
    await say(rest, 'alerts', 'test', 'hook'),
    'A message is on its way. If it does not arrive, GET /alerts/deliveries says why.\n',
  );
  await receiver.count(2);
  assert.match(await fail(rest, ['alerts', 'test', 'none']), /^no such alert channel: none$/);
  await rest.ask('PUT', '/alerts/channels', { body: {} });
  await receiver.close();
});

test('sends numbers as they were typed, so that none is rounded in silence', async ({ rest, id }) => {
  const said = await fail(rest, ['put', id, 'd', '{"n":9007199254740993}']);
  assert.match(said, 'number out of range');
});

test('says what is wrong with the command line', async ({ rest, id }) => {
  const cases: [string[], RegExp][] = [
    [['frob'], /^no such command: frob$/],
    [['dissarm', id], /^no such command: dissarm: did you mean disarm\?$/],
    [['device'], /^no such command: device; there are device create, .*device delete$/],
    [['device', 'crate', 'n'], /^no such command: device crate; there are device create, /],
    [['device', 'list', 'all'], /^expected device list$/],
    [['get'], /^expected get DEVICE \[DOCUMENT\]$/],
    [['put', id, 'd'], /^expected put DEVICE DOCUMENT DATA$/],
    [['put', id, 'd', 'nix'], /^the data is not JSON/],
    [['put', id, 'd', '{}', '--if-version', 'x'], /^--if-version x: expected a whole number$/],
    [['put', id, 'd', '{}', '--version'], /^--version does not go with put: did you mean --if-version\?$/],
    [['watch', id, 'd', 'e'], /^expected watch DEVICE \[DOCUMENT\]$/],
    [['put', id, '..', '{}'], /^".." is not a name$/],
    [['device', 'delete', '.'], /^no such device: \./],
    [['get', ''], /^no such device: ; "device list" shows all$/],
    [['alerts', 'ack', '..'], /^".." is not a name$/],
    [
      ['arm', id, '--role', 'app'],
      /^--role does not go with arm: did you mean --mode\?$|^--role does not go with arm, which takes --mode, --bypass, --no-wait$/,
    ],
    [['arm', id, '--mode', 'holiday'], /^--mode holiday: expected one of away, home, night$/],
    [['disarm', id, '--mode', 'home'], /^--mode does not go with disarm, which takes --no-wait$/],
    [['arm', id, '--colour'], /^Unknown option '--colour'$/],
    [['arm', id, '--bypas', 'x'], /^Unknown option '--bypas': did you mean --bypass\?$/],
    [['arm', id, '--url'], /--url.* argument missing$/],
  ];
  for (const [args, message] of cases) assert.match(await fail(rest, args), message);
});

test('says what the server refused, and why', async ({ rest, id }) => {
  await rest.ask('PUT', `/twins/${id}/documents/d`, { body: { data: {} } });
  const reader = await rest.newToken('reader');
  const unknown = '00000000-0000-4000-8000-000000000000';
  const cases: [string[], RegExp][] = [
    [['get', id, 'none'], /^no such twin document: none$/],
    [['get', unknown], new RegExp(`^no such device: ${unknown}$`)],
    [['get', 'x'], /^no such device: x; "device list" shows all$/],
    [['put', id, '.hidden', '{}'], /^document_name: document name is not valid$/],
    [['put', id, 'd', '{}', '--if-version', '7'], /^the document has version 1, not 7$/],
    [['token', 'create', '--role', 'king'], /^--role king: expected one of owner, app, reader$/],
    [['get', id, '--token', ''], /^no token, or not a UUID: give --token, or set TWIN_TOKEN$/],
    [['get', id, '--token', unknown], /^the server does not know this token$/],
    [['arm', id, '--token', reader], /^this token may not write twin_document$/],
    [['get', id, '--region', 'nl-ams'], /^unknown resource$/],
  ];
  for (const [args, message] of cases) assert.match(await fail(rest, args), message);
});

test('says when to come again, where it has asked too much', async ({ rest, id }) => {
  const guess = () => fail(rest, ['get', id, '--token', randomUUID()]);
  for (let n = 0; n < 10; n += 1) await guess();
  assert.match(await guess(), /^too many wrong credentials from your address: try again in \d+ s$/);
});

test.run();
