import { readFile } from 'node:fs/promises';
import type { Change } from './open-file.js';
import { decodeRecord, frameEnd, frameRecords, hasFrameBehind } from './record.js';
import { cut, type Segment } from './segment.js';

/** A journal with intact frames after a damaged one. A crash cannot cause this. */
export class DamagedJournal extends Error {
  override name = 'DamagedJournal';
  constructor(segment: Segment) {
    super(
      `${segment.path} is damaged at byte ${segment.bytes}, before changes that are whole: restore it from a backup, ` +
        'or move it away to begin without what it holds',
    );
  }
}

/** The changes of one file that the journal holds, by document, and the oldest segment with one of them. */
export interface Replayed {
  readonly segment: Segment;
  readonly changes: Map<string | undefined, Change[]>;
}

/** The changes in their order. */
export const changesOf = ({ changes }: Replayed): Change[] =>
  [...changes.values()].flat().sort((a, b) => a.seq - b.seq);

/** How many past versions a file keeps of each document. */
export type Keep = (file: string) => number;

interface Replay {
  readonly files: Map<string, Replayed>;
  /** The number of the last change. */
  readonly seq: number;
  /** The length in bytes of a torn frame at the journal's end. It was dropped, because it was never acknowledged. */
  readonly dropped: number;
}

/**
 * Reads all segments, oldest first, and sets their `bytes`. A torn frame at the journal's end is cut off.
 * @throws DamagedJournal
 */
export async function replay(segments: Segment[], keep: Keep): Promise<Replay> {
  const files = new Map<string, Replayed>();
  let seq = 0;
  let dropped = 0;
  let torn: Segment | undefined;
  for (const segment of segments) {
    const bytes = await readFile(segment.path);
    const records = readRecords(segment, bytes);
    if (torn !== undefined && records.length > 0) throw new DamagedJournal(torn);
    for (const record of records) {
      const { file, change } = decodeRecord(record);
      remember(files, segment, file, change, Math.max(1, keep(file)));
      seq = change.seq;
    }
    const rest = bytes.subarray(segment.bytes);
    if (segment.bytes > 0 && isZero(rest)) continue;
    if (hasFrameBehind(bytes, segment.bytes)) throw new DamagedJournal(segment);
    torn = segment;
    dropped = rest.length;
  }
  if (torn !== undefined) await cut(torn);
  return { files, seq, dropped };
}

function readRecords(segment: Segment, bytes: Buffer): string[] {
  const records: string[] = [];
  for (let end = frameEnd(bytes, 0); end !== undefined; end = frameEnd(bytes, end)) {
    records.push(...frameRecords(bytes, segment.bytes, end));
    segment.bytes = end;
  }
  return records;
}

/** Where the intact frames of a segment end, and whether nothing follows them. */
export function goodBytes(bytes: Buffer): { end: number; isWhole: boolean } {
  let end = 0;
  for (let next = frameEnd(bytes, 0); next !== undefined; next = frameEnd(bytes, next)) end = next;
  return { end, isWhole: isZero(bytes.subarray(end)) };
}

/** Whether it is room that no frame has used yet. */
const isZero = (bytes: Buffer): boolean => bytes.equals(Buffer.alloc(bytes.length));

function remember(
  files: Map<string, Replayed>,
  segment: Segment,
  name: string,
  change: Change,
  keep: number,
): void {
  const known = files.get(name) ?? { segment, changes: new Map() };
  files.set(name, known);
  if (change.key === undefined) known.changes.clear();
  const changes = change.document === undefined ? [] : (known.changes.get(change.key) ?? []);
  changes.push(change);
  // A removal is kept, because it says that the history on disk belongs to an earlier document.
  const first = changes[0]?.document === undefined ? 1 : 0;
  if (changes.length >= first + 2 * keep) changes.splice(first, keep);
  known.changes.set(change.key, changes);
}
