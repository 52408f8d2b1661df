/** Bytes that are nearly what they were. */

import type { Random } from './random.js';

type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Where formats have their edges: signs, lengths, wildcards, brackets, ends of lines. */
const INTERESTING = Buffer.from('\x00\x01\x7f\x80\xc0\xff#+/\r\n\t :,"{}[]%-09', 'latin1');
const MOST = 3;

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    return changed(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8)));
  },
  function replaceByte(bytes, random) {
    return changed(bytes, random.below(bytes.length), random.oneOf([...INTERESTING]));
  },
  function cutShort(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
  function leaveOut(bytes, random) {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(4))]);
  },
  function insert(bytes, random) {
    const at = random.below(bytes.length);
    const more = Buffer.from(random.some(6, () => random.below(256)));
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
  },
  function repeat(bytes, random) {
    const at = random.below(bytes.length);
    const part = bytes.subarray(at, at + 1 + random.below(bytes.length - at));
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
  },
];

export function mutated(bytes: Buffer, random: Random): Buffer {
  let result = bytes;
  for (let left = 1 + random.below(MOST); left > 0 && result.length > 0; left--) {
    result = random.oneOf(MUTATIONS)(result, random);
  }
  return result;
}
