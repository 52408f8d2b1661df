/** One change as the journal keeps it, one compact JSON text. */

import type { Change } from './open-file.js';

interface JournalRecord {
  seq: number;
  file: string;
  /** Absent: all documents are removed. */
  key?: string;
  /** Absent, as what follows: the document is removed. */
  version?: number;
  updated_at?: string;
  data?: unknown;
}

export function encodeRecord(file: string, { seq, key, document }: Change): string {
  const head = `{"seq":${seq},"file":"${file}"`;
  if (key === undefined) return `${head}}\n`;
  const named = `${head},"key":${JSON.stringify(key)}`;
  if (document === undefined) return `${named}}\n`;
  return `${named},"version":${document.version},"updated_at":"${document.updatedAt}","data":${document.data}}\n`;
}

export function decodeRecord(text: string): { file: string; change: Change } {
  const { seq, file, key, version, updated_at, data } = JSON.parse(text) as JournalRecord;
  const document =
    version === undefined || updated_at === undefined
      ? undefined
      : { version, updatedAt: updated_at, data: JSON.stringify(data) };
  return { file, change: { seq, key, document } };
}
