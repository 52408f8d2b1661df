/**
 * The journal's wire form. A frame is what one fdatasync covered: `#<crc32> <length>\n`, both eight hexadecimal digits,
 * then that many bytes of records, one JSON text a line. It is whole or it is not there.
 */

import { crc32 } from 'node:zlib';

const HEADER_BYTES = '#00000000 00000000\n'.length;
const HEADER = /^#([0-9a-f]{8}) ([0-9a-f]{8})\n$/;

const hex = (number: number): string => number.toString(16).padStart(8, '0');

export function encodeFrame(records: string): Buffer {
  const length = Buffer.byteLength(records);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.write(records, HEADER_BYTES);
  frame.write(`#${hex(crc32(frame.subarray(HEADER_BYTES)))} ${hex(length)}\n`, 0, 'latin1');
  return frame;
}

/** Where the frame that begins at `start` ends, or undefined when there is no intact frame. */
export function frameEnd(bytes: Buffer, start: number): number | undefined {
  const body = start + HEADER_BYTES;
  const [, checksum, length] = HEADER.exec(bytes.toString('latin1', start, body)) ?? [];
  if (checksum === undefined || length === undefined) return undefined;
  const end = body + Number.parseInt(length, 16);
  if (end > bytes.length) return undefined;
  return hex(crc32(bytes.subarray(body, end))) === checksum ? end : undefined;
}

/** The records of the intact frame that lies from `start` to `end`. */
export const frameRecords = (bytes: Buffer, start: number, end: number): string[] =>
  bytes
    .toString('utf8', start + HEADER_BYTES, end)
    .split('\n')
    .slice(0, -1);

/** Whether an intact frame begins anywhere behind `start`. */
export function hasFrameBehind(bytes: Buffer, start: number): boolean {
  for (let at = bytes.indexOf('#', start + 1); at !== -1; at = bytes.indexOf('#', at + 1)) {
    if (frameEnd(bytes, at) !== undefined) return true;
  }
  return false;
}
