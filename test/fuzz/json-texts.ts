/** JSON texts that are hard to read: valid ones, and some that are not. */

import type { Random } from './random.js';

const NUMBERS = [
  ...['0', '-0', '1', '-1', '0.1', '1e2', '1E-2', '2.5e-324', '1e-400', '4503599627370497.5'],
  ...[
    '9007199254740991',
    '-9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '1e400',
    '-1e400',
    '1e308',
  ],
  ...['01', '+1', '.5', '1.', '0x1', 'NaN', 'Infinity', '1_000', '123456789012345678901234567890'],
];
const VALID_NUMBERS = 17;

/** Between quotation marks; the bytes of some are no UTF-8. */
const STRINGS = [
  ...[
    '',
    'a',
    'ä',
    '€',
    '😀',
    '\\ud83d\\ude00',
    '\\ud800',
    '\\udc00\\ud800',
    '\\u0000',
    '\\u2028',
    '\\"',
    '\\\\',
  ],
  ...['\\n\\t', '\\/', '</script>', '\u2028', '\ufeff', '\x7f', '\ufffd', '%2e%2e', '"}', "'"].map((text) =>
    text === '"}' ? '\\"}' : text,
  ),
  ...['\\x', '\\u12', '\n', '\t', '\0'],
];
const VALID_STRINGS = 22;
const WRONG_UTF8 = ['80', 'c0af', 'eda080', 'f4908080', 'ff', 'e282'].map((hex) => Buffer.from(hex, 'hex'));

const KEYS = [
  ...[
    'a',
    'b',
    'c',
    'a',
    'b',
    'c',
    '',
    'constructor',
    'toString',
    'hasOwnProperty',
    'prototype',
    'length',
    '0',
    '-1',
  ],
  ...['__proto__', '\\u005f_proto__', '__proto', '\\ud800', '_tags', 'data', 'version', 'x'.repeat(2000)],
];
const SPACES = ['', '', '', '', ' ', '\n', '\t\r\n '];
const DEEPEST = 40;

const text = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));

/** How likely a fault in the JSON is: once in so many places. */
type Rarity = number;

function stringOf(random: Random, rarity: Rarity): Buffer {
  if (random.once(rarity)) return text('"', random.oneOf(WRONG_UTF8), '"');
  return Buffer.from(`"${STRINGS[random.below(random.once(rarity) ? STRINGS.length : VALID_STRINGS)]}"`);
}

function numberOf(random: Random, rarity: Rarity): Buffer {
  return Buffer.from(NUMBERS[random.below(random.once(rarity) ? NUMBERS.length : VALID_NUMBERS)] ?? '0');
}

function join(items: Buffer[], open: string, close: string): Buffer {
  const separated = items.flatMap((item, index) => (index === 0 ? [item] : [Buffer.from(','), item]));
  return text(open, ...separated, close);
}

function memberOf(random: Random, depth: number, rarity: Rarity): Buffer {
  const key = random.once(rarity / 8) ? random.oneOf(KEYS) : random.oneOf(['a', 'b', 'c']);
  return text(random.oneOf(SPACES), `"${key}"`, random.oneOf(SPACES), ':', anyOf(random, depth, rarity));
}

function anyOf(random: Random, depth: number, rarity: Rarity): Buffer {
  switch (random.below(depth <= 0 ? 4 : 8)) {
    case 0:
      return Buffer.from(random.oneOf(['null', 'true', 'false']));
    case 1:
      return numberOf(random, rarity);
    case 2:
    case 3:
      return stringOf(random, rarity);
    case 4:
      return join(
        random.some(3, () => anyOf(random, depth - 2, rarity)),
        '[',
        ']',
      );
    case 5:
      return random.once(rarity / 4) ? nested(random) : Buffer.from('null');
    default:
      return objectOf(random, depth - 1, rarity);
  }
}

export const objectOf = (random: Random, depth: number, rarity: Rarity): Buffer =>
  random.once(8)
    ? Buffer.from('{}')
    : join(
        random.some(4, () => memberOf(random, depth, rarity)),
        '{',
        '}',
      );

/** Objects and lists in each other, about as deep as is allowed, or very much deeper. */
function nested(random: Random): Buffer {
  const depth = random.once(4) ? 10_000 : 20 + random.below(DEEPEST - 20);
  const [open, close] = random.oneOf([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  return Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`);
}

/** Long enough that several of them are more than a document may be. */
const longText = (random: Random): Buffer =>
  Buffer.from(
    `"${random.oneOf(['x', '€', '\\u0000', '😀'])}"`.replace(/(?<=").+(?=")/, (unit) =>
      unit.repeat(9_000 + random.below(5000)),
    ),
  );

/** The body of a put or a patch. Of those made with a high rarity most are taken. */
export function bodyOf(random: Random): Buffer {
  const rarity = random.oneOf([8, 64, 512]);
  const data = random.once(20)
    ? text('{"a":', longText(random), ',"b":', longText(random), '}')
    : random.once(16)
      ? anyOf(random, 2, rarity)
      : objectOf(random, 4, rarity);
  const members = [text('"data":', data)];
  if (random.once(6))
    members.unshift(text('"version":', random.once(4) ? numberOf(random, 8) : String(random.below(4))));
  if (random.once(30)) members.push(text('"data":', objectOf(random, 1, rarity)));
  if (random.once(30)) members.push(memberOf(random, 1, rarity));
  const body = join(members, '{', '}');
  if (random.once(40)) return text('\ufeff', body);
  return random.once(40) ? text(body, random.oneOf(['x', '}', '\0', ' {}'])) : body;
}
