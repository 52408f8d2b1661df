/**
 * Finds the data in the body of a put without parsing it. This works where the text is what `JSON.stringify` would write, and
 * panels send such text. It saves a tenth of the time of a put.
 */

import { LIMITS } from '../../shared/document.js';

/** What stands for "not sure": the body must be parsed. No value ends there. */
const UNSURE = 0;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const UNDERSCORE = 0x5f;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const DELETE = 0x7f;

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const WORDS = ['true', 'false', 'null'].map(latin1);
const BEFORE_VERSION = latin1('{"version":');
const BEFORE_DATA = latin1('"data":');

/** Numbers with so many digits are the same after they were read as doubles. */
const MOST_DIGITS = 15;
/** Smaller fractions are written with an exponent. */
const MOST_DECIMALS = 6;
/** How many keys the objects that are not closed may have. Each is compared with those before it in its object. */
const MOST_KEYS = 64;

/** Where the keys of the objects begin that are not closed. */
const keys = new Int32Array(MOST_KEYS);

/**
 * Reads `{"data":{…}}` or `{"version":n,"data":{…}}`.
 * @returns undefined unless it is sure that the body is valid, and that its data are compact: then the body must be parsed
 */
export function readCompact(body: Buffer): { version: number; data: string } | undefined {
  let at = 1;
  let version = 0;
  if (startsWith(body, BEFORE_VERSION, 0)) {
    const begin = BEFORE_VERSION.length;
    at = endOfNumber(body, begin);
    if (at === UNSURE || body[at] !== COMMA) return undefined;
    version = Number(body.toString('latin1', begin, at));
    if (!Number.isSafeInteger(version) || version < 0) return undefined;
    at += 1;
  } else if (body[0] !== OPENING_BRACE) return undefined;
  if (!startsWith(body, BEFORE_DATA, at)) return undefined;
  const start = at + BEFORE_DATA.length;
  if (body[start] !== OPENING_BRACE) return undefined;
  const end = endOfObject(body, start, 1, 0);
  if (end === UNSURE || body[end] !== CLOSING_BRACE || end + 1 !== body.length) return undefined;
  return { version, data: body.toString('latin1', start, end) };
}

function startsWith(bytes: Uint8Array, text: Uint8Array, at: number): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return false;
  return true;
}

// Each gives the position behind the value that begins at `at`, or UNSURE.

function endOfValue(bytes: Uint8Array, at: number, depth: number, key: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return endOfString(bytes, at);
    case OPENING_BRACE:
      return endOfObject(bytes, at, depth, key);
    case OPENING_BRACKET:
      return endOfArray(bytes, at, depth, key);
    default:
      return endOfWord(bytes, at) || endOfNumber(bytes, at);
  }
}

/** @param key how many keys the objects around it have */
function endOfObject(bytes: Uint8Array, start: number, depth: number, key: number): number {
  if (depth > LIMITS.depth) return UNSURE;
  let at = start + 1;
  if (bytes[at] === CLOSING_BRACE) return at + 1;
  for (let index = key; index < MOST_KEYS; index++) {
    const end = endOfString(bytes, at);
    if (end === UNSURE || bytes[end] !== COLON || isPeculiar(bytes, at + 1)) return UNSURE;
    for (let other = key; other < index; other++) if (isSame(bytes, at, end, keys[other] ?? 0)) return UNSURE;
    keys[index] = at;
    at = endOfValue(bytes, end + 1, depth + 1, index + 1);
    if (at === UNSURE) return UNSURE;
    if (bytes[at] === CLOSING_BRACE) return at + 1;
    if (bytes[at] !== COMMA) return UNSURE;
    at += 1;
  }
  return UNSURE;
}

/** A key with digits can be an index, which objects put before others, and one with underscores can be `__proto__`. */
const isPeculiar = (bytes: Uint8Array, at: number): boolean =>
  isDigit(bytes[at]) || (bytes[at] === UNDERSCORE && bytes[at + 1] === UNDERSCORE);

function isSame(bytes: Uint8Array, start: number, end: number, other: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== bytes[other + at - start]) return false;
  return true;
}

function endOfArray(bytes: Uint8Array, start: number, depth: number, key: number): number {
  if (depth > LIMITS.depth) return UNSURE;
  let at = start + 1;
  if (bytes[at] === CLOSING_BRACKET) return at + 1;
  for (;;) {
    at = endOfValue(bytes, at, depth + 1, key);
    if (at === UNSURE) return UNSURE;
    if (bytes[at] === CLOSING_BRACKET) return at + 1;
    if (bytes[at] !== COMMA) return UNSURE;
    at += 1;
  }
}

/** Of ASCII without an escape. */
function endOfString(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== QUOTE) return UNSURE;
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20 || byte > DELETE || byte === BACKSLASH) return UNSURE;
  }
  return UNSURE;
}

function endOfWord(bytes: Uint8Array, at: number): number {
  for (const word of WORDS) if (startsWith(bytes, word, at)) return at + word.length;
  return UNSURE;
}

/** As JavaScript writes it, without an exponent. */
function endOfNumber(bytes: Uint8Array, start: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start;
  const point = endOfDigits(bytes, first);
  if (point === first || (bytes[first] === ZERO && point > first + 1)) return UNSURE;
  if (bytes[point] !== POINT) {
    const isNegativeZero = bytes[first] === ZERO && first > start;
    return isNegativeZero || point - first > MOST_DIGITS ? UNSURE : point;
  }
  const end = endOfDigits(bytes, point + 1);
  const decimals = end - point - 1;
  if (decimals === 0 || decimals > MOST_DECIMALS || end - 1 - first > MOST_DIGITS) return UNSURE;
  return bytes[end - 1] === ZERO ? UNSURE : end;
}

function endOfDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  return at;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE;
