import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  faultInData,
  isDeviceId,
  isDocumentName,
  isUuid,
  type Json,
  type JsonObject,
  mergePatch,
  versionAgrees,
} from '../../shared/document.js';

const test = suite('document');

/** RFC 7396 as its section 2 states it, on plain Maps so that no key is special. */
type Tree = Map<string, Tree> | string;
const toTree = (value: Json): Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value).map(([key, child]) => [key, toTree(child)]))
    : JSON.stringify(value);
function naiveMerge(target: Tree | undefined, patch: Tree): Tree {
  if (typeof patch === 'string') return patch;
  const result = new Map(target instanceof Map ? target : []);
  for (const [key, value] of patch) {
    if (value === 'null') result.delete(key);
    else result.set(key, naiveMerge(result.get(key), value));
  }
  return result;
}

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'constructor', 'toString', 'hasOwnProperty'),
  fc.string({ maxLength: 3 }),
);
const { object } = fc.letrec<{ object: JsonObject; value: Json }>((tie) => ({
  object: fc.dictionary(
    key.filter((name) => name !== '__proto__'),
    tie('value'),
    { maxKeys: 4, noNullPrototype: true },
  ),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json[]>(null, true, false, 0, 1.5, 'x', [], [1, 'y', { z: null }]),
    tie('object'),
  ),
}));

test('merge patch does what RFC 7396 says', () => {
  fc.assert(
    fc.property(object, object, (target, patch) => {
      const [before, merged] = [JSON.stringify(patch), naiveMerge(toTree(target), toTree(patch))];
      assert.equal(toTree(mergePatch(target, patch)), merged);
      assert.equal([toTree(target), JSON.stringify(patch)], [merged, before]);
    }),
    { numRuns: 2000 },
  );
});

test('a patch that repeats the document changes nothing', () => {
  fc.assert(
    fc.property(object, (target) => {
      const plain = mergePatch({}, target);
      assert.equal(toTree(mergePatch(structuredClone(plain), plain)), toTree(plain));
    }),
  );
});

test('a version agrees when it is 0 or the present one', () => {
  assert.equal(
    [versionAgrees(0, 5), versionAgrees(5, 5), versionAgrees(1, 0), versionAgrees(4, 5)],
    [true, true, false, false],
  );
});

test('a name has 1 to 64 of its letters and does not begin with . or _, but _config may', () => {
  for (const name of ['a', 'A-_.~9', '~', '-', '_config', 'x'.repeat(64)])
    assert.ok(isDocumentName(name), name);
  for (const name of ['', '.', '..', '.a', '_', '_configs', '__proto__', 'a/b', 'a\n', 'é', 'x'.repeat(65)]) {
    assert.not.ok(isDocumentName(name), name);
  }
});

test('data is judged without limit of its depth', () => {
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as Json;
  assert.match(faultInData({ deep }) ?? '', 'nested deeper than 32');
});

test("a device's id is a UUID in lower case; a UUID may be in either", () => {
  const id = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';
  assert.equal([isDeviceId(id), isDeviceId(id.toUpperCase())], [true, false]);
  assert.equal([isUuid(id), isUuid(id.toUpperCase())], [true, true]);
  for (const text of ['', `${id}0`, ` ${id}`, `${id}\n`, id.replaceAll('-', '')])
    assert.equal([isDeviceId(text), isUuid(text)], [false, false], text);
});

test.run();
