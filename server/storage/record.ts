/**
 * How the journal and a stored document are written. A record is one change: one line of compact JSON. A frame holds
 * the records that one fdatasync covers: `#<crc32> <length>\n`, both as eight hexadecimal digits, then so many bytes of
 * records. A frame whose checksum is wrong does not count.
 */

import fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { isObject } from '../../shared/document.js';
import type { Change } from './open-file.js';
import type { Birth, StoredDocument } from './storage.js';

/** A document's members without the braces. The journal, the files and the history hold the same text. */
export function encodeMembers({ version, born, updatedAt, updatedBy, data }: StoredDocument): string {
  const birth = born === undefined ? '' : `"created_at":"${born.createdAt}","birth":"${born.tag}",`;
  const by = updatedBy === undefined ? '' : `"updated_by":${JSON.stringify(updatedBy)},`;
  return `"version":${version},${birth}"updated_at":"${updatedAt}",${by}"data":${data}`;
}

/** Ignores other members. @throws Error when it is not an object with the members of a document */
export function decodeDocument(value: unknown): StoredDocument {
  if (!isObject(value)) throw new Error('a document is not an object');
  const { version, updated_at, updated_by, data } = value;
  if (typeof version !== 'number' || typeof updated_at !== 'string' || !isObject(data)) {
    throw new Error('a document lacks version, updated_at or data');
  }
  const by = typeof updated_by === 'string' ? { updatedBy: updated_by } : {};
  return { version, ...decodeBirth(value), updatedAt: updated_at, ...by, data: JSON.stringify(data) };
}

const TAG = /^[0-9a-f]+$/;

function decodeBirth({ created_at, birth }: Record<string, unknown>): { born?: Birth } {
  if (typeof created_at !== 'string' || typeof birth !== 'string' || !TAG.test(birth)) return {};
  return { born: { createdAt: created_at, tag: birth } };
}

interface JournalRecord {
  seq: number;
  file: string;
  /** Without it all documents are removed. */
  key?: string;
  /** Without it the document is removed. With it come the other members of a document. */
  version?: number;
}

export function encodeRecord(file: string, { seq, key, document }: Change): string {
  const head = `{"seq":${seq},"file":"${file}"`;
  if (key === undefined) return `${head}}\n`;
  const named = `${head},"key":${JSON.stringify(key)}`;
  return document === undefined ? `${named}}\n` : `${named},${encodeMembers(document)}}\n`;
}

export function decodeRecord(text: string): { file: string; change: Change } {
  const record = JSON.parse(text) as JournalRecord;
  const { seq, file, key, version } = record;
  const document = version === undefined ? undefined : decodeDocument(record);
  return { file, change: { seq, key, document } };
}

const HEADER_BYTES = '#00000000 00000000\n'.length;
const HEADER = /^#([0-9a-f]{8}) ([0-9a-f]{8})\n$/;

const hex = (number: number): string => number.toString(16).padStart(8, '0');

/** @param room for the header and the records. The frame is a part of it. */
export function encodeFrame(
  records: string,
  room = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(records)),
): Buffer {
  const length = room.write(records, HEADER_BYTES);
  const frame = room.subarray(0, HEADER_BYTES + length);
  frame.write(`#${hex(crc32(frame.subarray(HEADER_BYTES)))} ${hex(length)}\n`, 0, 'latin1');
  return frame;
}

/** The room of frames that are not long, used again for each. */
const ROOM = Buffer.allocUnsafeSlow(256 * 1024);

/** A UTF-16 unit takes at most three bytes. */
const fitsRoom = (records: string): boolean => HEADER_BYTES + 3 * records.length <= ROOM.length;

/**
 * Writes a frame at a position and returns its length in bytes. The call blocks, because a copy into the system's
 * memory takes less time than to wake a thread. Only `fdatasync` waits for the disk.
 */
export function writeFrame(fd: number, records: string, position: number): number {
  const frame = fitsRoom(records) ? encodeFrame(records, ROOM) : encodeFrame(records);
  for (let done = 0; done < frame.length; ) {
    done += fs.writeSync(fd, frame, done, frame.length - done, position + done);
  }
  return frame.length;
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

/** Where the records of the frame that begins at `start` begin. */
export const recordsStart = (start: number): number => start + HEADER_BYTES;

/** Whether an intact frame begins anywhere after `start`. */
export function hasFrameBehind(bytes: Buffer, start: number): boolean {
  for (let at = bytes.indexOf('#', start + 1); at !== -1; at = bytes.indexOf('#', at + 1)) {
    if (frameEnd(bytes, at) !== undefined) return true;
  }
  return false;
}
