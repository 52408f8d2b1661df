/** The steps of `admit`, without a network. */

import { randomUUID } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FailedAttempts } from '../../../server/access/failures.js';
import { KnownClients } from '../../../server/access/known-clients.js';
import { admit, type Peer } from '../../../server/mqtt/admission.js';
import type { Connect } from '../../../server/mqtt/packet.js';
import { memoryStorage } from '../../../server/storage/memory.js';
import { StorageUnavailable } from '../../../server/storage/storage.js';
import { type Credentials, TestDevices } from './endpoint.js';

const devices = new TestDevices();
const { id, password } = devices.add({ allow_insecure: false });
const other = devices.add();
const disabled = devices.add({ status: 'disabled' });

const CONNECT: Connect = {
  command: 'connect',
  clientId: 'c',
  clean: true,
  keepAlive: 0,
  userName: undefined,
  password: undefined,
  will: undefined,
};
const gate = () => ({ devices, failures: new FailedAttempts() });
const peer = (changes: Partial<Peer> = {}): Peer => ({ address: '192.0.2.1:1', secure: true, ...changes });

/** The CONNACK's code, 0 for a client that is let in. */
async function codeOf(from: Peer, changes: Partial<Connect> = {}): Promise<number> {
  const verdict = await admit({ ...CONNECT, ...changes }, from, gate());
  return 'refusal' in verdict ? verdict.refusal.code : 0;
}

const certificate = devices.certificateOf(id);

test('a certificate alone lets its device in', async () => {
  const verdict = await admit(CONNECT, peer({ certificate }), gate());
  assert.is('device' in verdict && verdict.device.id, id);
});

test('with a certificate the user name must name the same device or be missing, and the password is ignored', async () => {
  const from = peer({ certificate });
  assert.is(await codeOf(from, { userName: id }), 0);
  assert.is(await codeOf(from, { userName: id, password: Buffer.from('wrong') }), 0);
  assert.is(await codeOf(from, { userName: other.id }), 4);
  assert.is(await codeOf(from, { userName: other.id, password: Buffer.from(other.password) }), 4);
});

test('an invalid certificate is refused by 5, even with a right password', async () => {
  const right = { userName: other.id, password: Buffer.from(other.password) };
  const shown = devices.certificateOf(other.id);
  for (const certificate of [
    { ...shown, fault: 'expired' },
    { ...shown, sha256: devices.certificateOf(id).sha256 },
    { ...shown, deviceId: 'no-device' },
    { ...shown, deviceId: '' },
  ]) {
    const named = certificate.deviceId === other.id ? right : {};
    assert.is(await codeOf(peer({ certificate }), named), 5, JSON.stringify(certificate));
  }
});

test('a disabled device is refused by 5, with its certificate and with its password', async () => {
  assert.is(await codeOf(peer({ certificate: devices.certificateOf(disabled.id) })), 5);
  const { id: userName, password: text } = disabled;
  assert.is(await codeOf(peer(), { userName, password: Buffer.from(text) }), 5);
});

test('a password admits only a device with allow_insecure, over TLS too', async () => {
  for (const secure of [true, false]) {
    const theirs = { userName: other.id, password: Buffer.from(other.password) };
    assert.is(await codeOf(peer({ secure }), theirs), 0);
    assert.is(await codeOf(peer({ secure }), { userName: id, password: Buffer.from(password) }), 5);
    assert.is(await codeOf(peer({ secure }), { userName: id, password: Buffer.from('wrong') }), 4);
    assert.is(await codeOf(peer({ secure })), 4);
  }
});

const wrong = (userName: string): Connect => ({ ...CONNECT, userName, password: Buffer.from('wrong') });
const right = ({ id: userName, password: text }: Credentials): Connect => ({
  ...CONNECT,
  userName,
  password: Buffer.from(text),
});

const HOME = peer({ address: '192.0.2.1:1' });
const AWAY = peer({ address: '198.51.100.7:1' });

function gateWithCodes(failures = new FailedAttempts()) {
  const own = { devices, failures };
  return async (connect: Connect, from: Peer): Promise<number> => {
    const verdict = await admit(connect, from, own);
    return 'refusal' in verdict ? verdict.refusal.code : 0;
  };
}

test('a device that was let in from there before is let in while its address is blocked', async () => {
  const known = devices.add();
  const code = gateWithCodes();
  assert.is(await code(right(known), HOME), 0);
  for (let n = 0; n < 12; n += 1) await code(wrong(randomUUID()), HOME);
  assert.is(await code(right(known), HOME), 0);
  assert.is(await code(right(other), HOME), 3);
  assert.is(await code(wrong(other.id), HOME), 3);
});

test('a client with its certificate is let in while its address is blocked', async () => {
  const code = gateWithCodes();
  for (let n = 0; n < 12; n += 1) await code(wrong(randomUUID()), HOME);
  assert.is(await code(CONNECT, peer({ address: HOME.address, certificate })), 0);
});

test('wrong passwords for a device that is known there block neither it nor the others', async () => {
  const known = devices.add();
  const code = gateWithCodes();
  assert.is(await code(right(known), HOME), 0);
  const codes: number[] = [];
  for (let n = 0; n < 12; n += 1) codes.push(await code(wrong(known.id), HOME));
  assert.equal(codes, [...new Array(10).fill(4), 3, 3]);
  assert.is(await code(right(known), HOME), 0);
  assert.is(await code(right(other), HOME), 0);
});

test('a device whose id is attacked from elsewhere is let in, known there or not', async () => {
  const attacked = devices.add();
  const code = gateWithCodes();
  for (let n = 0; n < 12; n += 1) await code(wrong(attacked.id), AWAY);
  assert.is(await code(right(attacked), AWAY), 3);
  assert.is(await code(right(attacked), HOME), 0);
  assert.is(await code(right(attacked), HOME), 0);
});

test('what is known is known after a restart too', async () => {
  const known = devices.add();
  const storage = memoryStorage();
  const open = () => KnownClients.open(storage, () => undefined);
  const before = await open();
  const clock = { now: 0 };
  const now = () => clock.now;
  assert.is(await gateWithCodes(new FailedAttempts({}, now, before))(right(known), HOME), 0);
  await before.close();
  const code = gateWithCodes(new FailedAttempts({}, now, await open()));
  for (let n = 0; n < 12; n += 1) await code(wrong(randomUUID()), HOME);
  assert.is(await code(right(other), HOME), 3);
  assert.is(await code(right(known), HOME), 0);
  clock.now += 60_000;
  assert.is(await code(right(other), HOME), 0);
});

test('while the registry cannot be read every CONNECT is refused by 3', async () => {
  const away = async () => {
    throw new StorageUnavailable('disk');
  };
  const absent = { authenticate: away, certified: away };
  const named = { ...CONNECT, userName: id, password: Buffer.from(password) };
  for (const from of [peer(), peer({ certificate })]) {
    const verdict = await admit(named, from, {
      devices: absent,
      failures: new FailedAttempts(),
    });
    assert.is('refusal' in verdict && verdict.refusal.code, 3);
  }
});

test.run();
