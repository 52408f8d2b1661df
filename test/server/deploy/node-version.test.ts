import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isRecent } from '../../../server/deploy/node-version.js';

test('a version of Node.js is compared by its numbers, not by its letters', () => {
  const recent = ['20.15.0', '20.15.1', '20.20.2', '22.0.0', '100.1.0'];
  const old = ['18.20.8', '20.9.0', '20.14.9', '9.99.0'];
  assert.equal(
    [...recent, ...old].map((version) => isRecent(version, '>=20.15')),
    [...recent.map(() => true), ...old.map(() => false)],
  );
});

test.run();
