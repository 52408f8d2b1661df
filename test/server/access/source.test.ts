import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isOwnMachine, sourceOf } from '../../../server/access/source.js';

const SAME: Record<string, string> = {
  '192.0.2.7': '192.0.2.7',
  '::ffff:192.0.2.7': '192.0.2.7',
  '::FFFF:192.0.2.7': '192.0.2.7',
  '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
  '2001:0db8:0001:0002::9': '2001:db8:1:2::/64',
  '2001:db8::': '2001:db8:0:0::/64',
  '::1': '0:0:0:0::/64',
  '1::2:3:4:5:6:7': '1:0:2:3::/64',
  '64:ff9b:1:2:3:4:192.0.2.7': '64:ff9b:1:2::/64',
  'fe80::1%eth0': 'fe80:0:0:0::/64',
  undefined: 'undefined',
};

for (const [address, source] of Object.entries(SAME)) {
  test(`${address} counts as ${source}`, () => {
    assert.is(sourceOf(address), source);
  });
}

test('the programs of this machine are known by their source', () => {
  for (const own of ['127.0.0.1', '::ffff:127.0.0.1', '::1']) assert.ok(isOwnMachine(sourceOf(own)), own);
  for (const other of ['192.0.2.7', '2001:db8::1', 'fe80::1'])
    assert.not.ok(isOwnMachine(sourceOf(other)), other);
});

test('another lower half of an IPv6 address is the same source, another upper half is not', () => {
  assert.is(sourceOf('2001:db8:1:2:ffff::'), sourceOf('2001:db8:1:2::1'));
  assert.is.not(sourceOf('2001:db8:1:3::1'), sourceOf('2001:db8:1:2::1'));
});

test.run();
