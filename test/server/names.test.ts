import { hostname, networkInterfaces } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isHostName, serverNames } from '../../server/names.js';

test('given names come first, the loopback is always there, and no name comes twice', () => {
  assert.equal(serverNames(['alarm.example', '192.0.2.7', '127.0.0.1']), [
    'alarm.example',
    '192.0.2.7',
    '127.0.0.1',
    'localhost',
    '::1',
  ]);
});

test("without names they are this machine's host name and addresses, except link-local ones", () => {
  const names = serverNames([]);
  if (isHostName(hostname())) assert.is(names[0], hostname().toLowerCase());
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address } of addresses) {
    assert.is(names.includes(address), !address.startsWith('fe80'), address);
  }
  assert.equal(names.slice(-3), ['localhost', '127.0.0.1', '::1']);
});

test('a host name has letters, digits, hyphens and underscores between dots', () => {
  for (const name of [
    'a',
    'alarm',
    'alarm-1.example.org',
    '1.example',
    'x'.repeat(63),
    'raspberrypi.local',
    'alarm_twin',
  ]) {
    assert.ok(isHostName(name), name);
  }
  for (const odd of ['', '.', 'a.', '.a', 'a..b', '-a', 'a-', 'a b', 'ä', 'a/b', '*.a', 'a\n']) {
    assert.not(isHostName(odd), odd);
  }
  assert.not(isHostName('x'.repeat(64)));
  assert.not(isHostName(Array(64).fill('abcd').join('.')));
});

test.run();
