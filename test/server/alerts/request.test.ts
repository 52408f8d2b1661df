import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPrivate } from '../../../server/alerts/request.js';

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

test.run();
