import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPrivate, onlyPublic, PrivateAddress, send } from '../../../server/alerts/request.js';

for (const address of [
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  '::ffff:10.0.0.1',
  'fe80::1',
  'fd00::1',
  '64:ff9b::a00:1',
  'ff02::1',
]) {
  test(`${address} is not of the public internet`, () => assert.ok(isPrivate(address)));
}

for (const address of ['1.1.1.1', '172.32.0.1', '192.167.0.1', '2606:4700::1111', '::ffff:1.1.1.1']) {
  test(`${address} is of the public internet`, () => assert.not.ok(isPrivate(address)));
}

/** What a connection gets for a name that resolves to these addresses. */
const lookedUp = (addresses: string[], all: boolean): Promise<unknown> =>
  new Promise((resolve) => {
    const found = addresses.map((address) => ({ address, family: 4 }));
    const lookup = onlyPublic((_name, _options, answer) => answer(null, found));
    lookup('push.example', { all }, (error, address) => resolve(error ?? address));
  });

test('a name that leads into the own network when it is used is not asked', async () => {
  for (const all of [true, false]) {
    assert.instance(await lookedUp(['10.0.0.5', '127.0.0.1'], all), PrivateAddress);
    assert.instance(await lookedUp([], all), PrivateAddress);
  }
});

test('of the addresses of a name only the public ones are used', async () => {
  assert.is(await lookedUp(['10.0.0.5', '1.1.1.1'], false), '1.1.1.1');
  assert.equal(await lookedUp(['10.0.0.5', '1.1.1.1'], true), [{ address: '1.1.1.1', family: 4 }]);
});

test('a private address itself is not asked', async () => {
  const url = new URL('https://169.254.169.254/x');
  try {
    await send({ url, method: 'POST', headers: {}, body: '', allowPrivate: false });
    assert.unreachable('it was asked');
  } catch (error) {
    assert.instance(error, PrivateAddress);
  }
});

test.run();
