/** A stored document, and a change of one, as compact JSON. */

import { isObject } from '../../shared/document.js';
import type { Change } from './open-file.js';
import type { Birth, StoredDocument } from './storage.js';

/** A document's members without the braces: the journal, the files and the history hold the same text. */
export function encodeMembers({ version, born, updatedAt, data }: StoredDocument): string {
  const birth = born === undefined ? '' : `"created_at":"${born.createdAt}","birth":"${born.tag}",`;
  return `"version":${version},${birth}"updated_at":"${updatedAt}","data":${data}`;
}

/** Ignores other members. @throws Error for what is not an object with the members of a document */
export function decodeDocument(value: unknown): StoredDocument {
  if (!isObject(value)) throw new Error('a document is not an object');
  const { version, updated_at, data } = value;
  if (typeof version !== 'number' || typeof updated_at !== 'string' || !isObject(data)) {
    throw new Error('a document lacks version, updated_at or data');
  }
  return { version, ...decodeBirth(value), updatedAt: updated_at, data: JSON.stringify(data) };
}

const TAG = /^[0-9a-f]+$/;

function decodeBirth({ created_at, birth }: Record<string, unknown>): { born?: Birth } {
  if (typeof created_at !== 'string' || typeof birth !== 'string' || !TAG.test(birth)) return {};
  return { born: { createdAt: created_at, tag: birth } };
}

interface JournalRecord {
  seq: number;
  file: string;
  /** Absent: all documents are removed. */
  key?: string;
  /** Absent: the document is removed. With it come the other members of a document. */
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
