import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withCallsOfPackage } from '../../../server/deploy/calls.js';

const CALLS = [
  ['npm run twin -- pair --own', 'alarm-twin pair --own'],
  ['npm run -s twin -- device list', 'alarm-twin device list'],
  ['`npm run twin`', '`alarm-twin`'],
  ['<code>npm run twin -- device create NAME</code>', '<code>alarm-twin device create NAME</code>'],
  ['npm run server -- --help', 'alarm-twin server --help'],
  ['npm run panel -- --server URL', 'alarm-twin panel --server URL'],
  ['type npm run server.', 'type alarm-twin server.'],
  ['npm run flash, npm start, npm run lint', 'npm run flash, npm start, npm run lint'],
];

for (const [checkout = '', ofPackage = ''] of CALLS) {
  test(`where a checkout says "${checkout}", the package says "${ofPackage}"`, () => {
    assert.is(withCallsOfPackage(checkout), ofPackage);
  });
}

test.run();
