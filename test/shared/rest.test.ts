import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apiBase, documentPath, pathOf, refusalText, restErrorOf } from '../../shared/rest.js';

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
    assert.throws(() => pathOf('devices', name), `"${name}" is not a name`);
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

test('a refusal that says nothing is told by its status', () => {
  assert.is(refusalText(502, {}), 'status 502');
});

test.run();
