/** The short way of a put must give what the long way gives, or leave the body to it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCompact } from '../../../server/twins/compact.js';
import { parseRequest } from '../../../server/twins/document.js';
import { Random } from '../../fuzz/random.js';

const test = suite('compact puts');

const read = (text: string) => readCompact(Buffer.from(text));

const nested = (levels: number): string => `${'{"a":'.repeat(levels)}{}${'}'.repeat(levels)}`;
const keys = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`;

const SHORT_WAY = [
  '{}',
  '{"alarm_armed":true,"door_open":false,"since":null}',
  '{"at":"2026-01-01T00:00:00.000Z"}',
  '{"n":0,"m":-1,"k":999999999999999}',
  '{"t":21.5,"u":-0.25,"v":0.000001}',
  '{"a":[],"b":[1,[2,{"c":[]}]],"d":{"a":1}}',
  '{"_config":1,"a_":2,"":3}',
  '{"delete":"\u007f"}',
  nested(31),
  keys(64),
];

for (const data of SHORT_WAY) {
  test(`the data ${data.slice(0, 60)} are taken as they came`, () => {
    assert.equal(read(`{"data":${data}}`), { version: 0, data });
    assert.equal(read(`{"version":7,"data":${data}}`), { version: 7, data });
    assert.is(JSON.stringify(parseRequest(Buffer.from(`{"data":${data}}`)).data), data);
  });
}

const LONG_WAY: [what: string, body: string][] = [
  ['an empty body', ''],
  ['a space', '{"data": {}}'],
  ['a space at the end', '{"data":{}} '],
  ['another key', '{"data":{},"pin":"1"}'],
  ['the version behind the data', '{"data":{},"version":1}'],
  ['a version that is none', '{"version":1.5,"data":{}}'],
  ['a negative version', '{"version":-1,"data":{}}'],
  ['data that are no object', '{"data":[]}'],
  ['data that end early', '{"data":{"a":1'],
  ['two values', '{"data":{}}{}'],
  ['a key twice', '{"data":{"a":1,"b":2,"a":3}}'],
  ['a key that is an index', '{"data":{"b":1,"1":2}}'],
  ['the key __proto__', '{"data":{"__proto__":{}}}'],
  ['an escape', '{"data":{"a":"\\u0041"}}'],
  ['a control character', '{"data":{"a":"\u0001"}}'],
  ['a letter that is not ASCII', '{"data":{"a":"ä"}}'],
  ['a leading zero', '{"data":{"a":01}}'],
  ['a negative zero', '{"data":{"a":-0}}'],
  ['a fraction that ends with zero', '{"data":{"a":1.50}}'],
  ['a fraction without digits', '{"data":{"a":1.}}'],
  ['a fraction that is very small', '{"data":{"a":0.0000001}}'],
  ['an exponent', '{"data":{"a":1e3}}'],
  ['an exponent behind a fraction', '{"data":{"a":1.5e3}}'],
  ['a number of 16 digits', '{"data":{"a":9007199254740993}}'],
  ['a number of 16 digits with a point', '{"data":{"a":9007199254.740993}}'],
  ['a comma too many', '{"data":{"a":1,}}'],
  ['a word that is none', '{"data":{"a":nul}}'],
  ['a word that goes on', '{"data":{"a":nulls}}'],
  ['33 levels', `{"data":${nested(32)}}`],
  ['65 keys', `{"data":${keys(65)}}`],
];

for (const [what, body] of LONG_WAY) {
  test(`${what} leaves the body to be parsed`, () => assert.is(read(body), undefined));
}

/** Text like JSON, with all that can go wrong in it. */
const PIECES = [
  ...'{}[]:,"\\-.019eE \n',
  '"a"',
  '"b"',
  '"1"',
  '"__proto__"',
  'true',
  'null',
  '1.5',
  '{}',
  '"a":',
];

test('a body made of any pieces is read as it would be parsed, or not at all', () => {
  const random = new Random(20);
  let taken = 0;
  for (let round = 0; round < 200_000; round += 1) {
    const data = random.some(8, () => random.oneOf(PIECES)).join('');
    const body = `{"data":{"k":${data}}}`;
    const found = read(body);
    if (found === undefined) continue;
    taken += 1;
    assert.is(found.data, JSON.stringify(parseRequest(Buffer.from(body)).data), body);
  }
  assert.ok(taken > 1000, `only ${taken} were taken`);
});

const LETTERS = ['a', 'b', ' ', '"', '\\', '\u0001', '\u007f', 'é', '0', '_'];

function anyValue(random: Random, depth = 1): unknown {
  const text = () => random.some(5, () => random.oneOf(LETTERS)).join('');
  const made: (() => unknown)[] = [
    () => random.once(2),
    () => random.below(1_000_000) - 500_000,
    () => (random.below(1_000_000) - 500_000) / 1000,
    () => null,
    text,
  ];
  if (depth < 5) {
    made.push(() => random.some(3, () => anyValue(random, depth + 1)));
    made.push(() => Object.fromEntries(random.some(4, () => [text(), anyValue(random, depth + 1)])));
  }
  return random.oneOf(made)();
}

test('what JSON.stringify writes keeps its text', () => {
  let taken = 0;
  for (let round = 0; round < 50_000; round += 1) {
    const data = JSON.stringify({ value: anyValue(new Random(21, round)) });
    const found = read(`{"data":${data}}`);
    if (found === undefined) continue;
    taken += 1;
    assert.is(found.data, data);
  }
  assert.ok(taken > 10_000, `only ${taken} were taken`);
});

test.run();
