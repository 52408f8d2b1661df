/** Blocks of bytes that tell whether they are whole: the content, then its CRC-32. Numbers are little-endian. */

import type { KeyValueStore } from './board.js';

const CHECKSUM_LENGTH = 4;
/** The reversed polynomial of IEEE 802.3. */
const POLYNOMIAL = 0xedb88320;

type Reading = Uint8Array | 'absent' | 'damaged';

/** The content of a block; damaged also when it has another length than the one given, or the store cannot read it. */
export function readSealed(store: KeyValueStore, key: string, length?: number): Reading {
  try {
    const bytes = store.read(key);
    if (bytes === undefined) return 'absent';
    const block = new Uint8Array(bytes);
    const end = block.length - CHECKSUM_LENGTH;
    if (length !== undefined && length !== end) return 'damaged';
    const whole = viewOf(block).getUint32(end, true) === checksum(block, end);
    return whole ? block.slice(0, end) : 'damaged';
  } catch {
    return 'damaged';
  }
}

/** Writes a block and reads it back: whether it stands there now. */
export function writeSealed(store: KeyValueStore, key: string, content: Uint8Array): boolean {
  const block = new Uint8Array(content.length + CHECKSUM_LENGTH);
  block.set(content);
  viewOf(block).setUint32(content.length, checksum(block, content.length), true);
  try {
    store.write(key, block);
    const bytes = store.read(key);
    return bytes !== undefined && isSame(new Uint8Array(bytes), block);
  } catch {
    return false;
  }
}

function isSame(bytes: Uint8Array, others: Uint8Array): boolean {
  if (bytes.length !== others.length) return false;
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== others[index]) return false;
  return true;
}

/** The numbers in a block's content. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer);

/** What four bits add to a checksum. A table of all bytes would take 4 KiB of the heap, and bit by bit takes three times as long. */
const NIBBLES = Array.from({ length: 16 }, (_, bits) => {
  let crc = bits;
  for (let bit = 0; bit < 4; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc;
});

function checksum(bytes: Uint8Array, length: number): number {
  let crc = ~0;
  for (let index = 0; index < length; index++) {
    crc ^= bytes[index] as number;
    crc = (crc >>> 4) ^ (NIBBLES[crc & 15] as number);
    crc = (crc >>> 4) ^ (NIBBLES[crc & 15] as number);
  }
  return ~crc >>> 0;
}
