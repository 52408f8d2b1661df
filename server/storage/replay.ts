import { open, readFile } from 'node:fs/promises';
import type { Change } from './open-file.js';
import { decodeRecord, frameEnd, hasFrameBehind, recordsStart } from './record.js';
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

/** Where the journal holds the changes of one file: the oldest segment with one of them, and places in the list. */
interface Replayed {
  readonly segment: Segment;
  readonly first: number;
  last: number;
}

/** The most bytes of a segment that are read at once for one file, unless one record is longer. */
const READ_BYTES = 256 * 1024;

/** Some bytes of a segment. */
interface Place {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
}

/** Lists of places, one for each file. They are typed arrays, because the heap may be too small for so many objects. */
class Places {
  #count = 0;
  #segments = new Uint32Array(1024);
  #starts = new Float64Array(1024);
  #ends = new Float64Array(1024);
  #next = new Uint32Array(1024);

  /** Adds a place behind another one of the same list, or joins it to that one. @returns the number of the last place */
  add({ segment, start, end }: Place, last: number): number {
    const isNext = last !== 0 && this.#segments[last] === segment && this.#ends[last] === start;
    if (isNext && end - (this.#starts[last] ?? 0) <= READ_BYTES) {
      this.#ends[last] = end;
      return last;
    }
    this.#count += 1;
    const at = this.#count;
    if (at === this.#next.length) this.#grow();
    this.#segments[at] = segment;
    this.#starts[at] = start;
    this.#ends[at] = end;
    if (last !== 0) this.#next[last] = at;
    return at;
  }

  /** The places of a list, in groups that are near each other in one segment. */
  *groups(first: number): Generator<Place[]> {
    let group: Place[] = [];
    for (let at = first; at !== 0; at = this.#next[at] ?? 0) {
      const place = {
        segment: this.#segments[at] ?? 0,
        start: this.#starts[at] ?? 0,
        end: this.#ends[at] ?? 0,
      };
      const [head] = group;
      if (head !== undefined && (head.segment !== place.segment || place.end - head.start > READ_BYTES)) {
        yield group;
        group = [];
      }
      group.push(place);
    }
    yield group;
  }

  #grow(): void {
    const grown = <T extends Uint32Array | Float64Array>(old: T, wider: T): T => {
      wider.set(old);
      return wider;
    };
    const length = 2 * this.#next.length;
    this.#segments = grown(this.#segments, new Uint32Array(length));
    this.#starts = grown(this.#starts, new Float64Array(length));
    this.#ends = grown(this.#ends, new Float64Array(length));
    this.#next = grown(this.#next, new Uint32Array(length));
  }
}

/** What the journal held at the start. In memory is only where each change lies, however long the journal is. */
export class Replay {
  /** The number of the last change. */
  seq = 0;
  /** The length in bytes of a torn frame at the journal's end. It was dropped, because it was never acknowledged. */
  dropped = 0;
  readonly #segments: readonly Segment[];
  readonly #files = new Map<string, Replayed>();
  #places = new Places();

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  /** The files with changes, and the oldest segment with one of them. */
  get files(): ReadonlyMap<string, { readonly segment: Segment }> {
    return this.#files;
  }

  add(record: string, place: Place): void {
    const { seq, file } = headOf(record);
    this.seq = Math.max(this.seq, seq);
    const known = this.#files.get(file);
    const last = this.#places.add(place, known?.last ?? 0);
    const segment = this.#segments[place.segment];
    if (known !== undefined) known.last = last;
    else if (segment !== undefined) this.#files.set(file, { segment, first: last, last });
  }

  /** Reads the changes of a file, in their order. @param after those up to this number are left out */
  async *changesOf(file: string, after: number): AsyncGenerator<Change> {
    const known = this.#files.get(file);
    if (known === undefined) return;
    for (const group of this.#places.groups(known.first)) {
      const from = group[0]?.start ?? 0;
      const bytes = await readBytes(this.#segments[group[0]?.segment ?? 0], from, group.at(-1)?.end ?? from);
      for (const { start, end } of group) {
        for (const line of linesOf(bytes, start - from, end - from)) {
          const record = bytes.toString('utf8', line.start, line.end);
          if (headOf(record).seq > after) yield decodeRecord(record).change;
        }
      }
    }
  }

  /** The changes of a file are in memory. */
  forget(file: string): void {
    this.#files.delete(file);
    if (this.#files.size === 0) this.#places = new Places();
  }
}

const HEAD = /^\{"seq":(\d+),"file":"([a-z0-9/-]+)"/;

/** The number and the file of a record, without parsing all of it. */
function headOf(record: string): { seq: number; file: string } {
  const [, seq, file] = HEAD.exec(record) ?? [];
  if (seq !== undefined && file !== undefined) return { seq: Number(seq), file };
  const { change, file: name } = decodeRecord(record);
  return { seq: change.seq, file: name };
}

async function readBytes(segment: Segment | undefined, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(end - start);
  const handle = await open(segment?.path ?? '', 'r');
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new Error(`${segment?.path} has become shorter`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

const NEWLINE = 10;

function* linesOf(bytes: Buffer, from: number, to: number): Generator<{ start: number; end: number }> {
  for (let start = from; start < to; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 || newline >= to ? to : newline + 1;
    yield { start, end };
    start = end;
  }
}

/**
 * Reads all segments, oldest first, and sets their `bytes`. One segment is in memory at a time. A torn frame at the
 * journal's end is cut off.
 * @throws DamagedJournal
 */
export async function replay(segments: readonly Segment[]): Promise<Replay> {
  const found = new Replay(segments);
  let torn: Segment | undefined;
  for (const [number, segment] of segments.entries()) {
    const bytes = await readFile(segment.path);
    const hasFrames = readFrames(found, segment, number, bytes);
    if (torn !== undefined && hasFrames) throw new DamagedJournal(torn);
    const rest = bytes.subarray(segment.bytes);
    if (segment.bytes > 0 && isZero(rest)) continue;
    if (hasFrameBehind(bytes, segment.bytes)) throw new DamagedJournal(segment);
    torn = segment;
    found.dropped = rest.length;
  }
  if (torn !== undefined) await cut(torn);
  return found;
}

/** @returns whether there was a record */
function readFrames(found: Replay, segment: Segment, number: number, bytes: Buffer): boolean {
  let isEmpty = true;
  for (let end = frameEnd(bytes, 0); end !== undefined; end = frameEnd(bytes, end)) {
    for (const { start, end: next } of linesOf(bytes, recordsStart(segment.bytes), end)) {
      isEmpty = false;
      found.add(recordAt(bytes, start, next), { segment: number, start, end: next });
    }
    segment.bytes = end;
  }
  return !isEmpty;
}

/** The longest head of a record, in bytes. */
const HEAD_BYTES = 160;

/** The beginning of a record, or all of it when its head is longer. */
function recordAt(bytes: Buffer, start: number, end: number): string {
  const head = bytes.toString('latin1', start, Math.min(end, start + HEAD_BYTES));
  return HEAD.test(head) ? head : bytes.toString('utf8', start, end);
}

/** Where the intact frames of a segment end, and whether nothing follows them. */
export function goodBytes(bytes: Buffer): { end: number; isWhole: boolean } {
  let end = 0;
  for (let next = frameEnd(bytes, 0); next !== undefined; next = frameEnd(bytes, next)) end = next;
  return { end, isWhole: isZero(bytes.subarray(end)) };
}

/** Whether it is room that no frame has used yet. */
const isZero = (bytes: Buffer): boolean => bytes.equals(Buffer.alloc(bytes.length));
