import fs from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from './directory.js';
import { writeFrame } from './record.js';

/** One file of the journal. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** The length of its good part. */
  bytes: number;
  /** How many files need it, because only the journal holds their changes since this segment. */
  holds: number;
}

const NAME = /^(\d{8})\.log$/;

export const segmentAt = (directory: string, number: number): Segment => ({
  number,
  path: join(directory, `${String(number).padStart(8, '0')}.log`),
  bytes: 0,
  holds: 0,
});

/** The segments of a directory, oldest first. */
export async function listSegments(directory: string): Promise<Segment[]> {
  const names = await readdir(directory);
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
    .map((number) => segmentAt(directory, number));
}

/** Cuts a segment's file off behind its good part. */
export async function cut(segment: Segment): Promise<void> {
  const handle = await open(segment.path, 'r+');
  try {
    await handle.truncate(segment.bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** A segment that can be written to. */
export interface OpenSegment {
  readonly segment: Segment;
  readonly fd: number;
}

const ZEROS = Buffer.alloc(256 * 1024);

/**
 * Creates a segment on stable storage. It begins with an empty frame, which proves that the disk takes a write. Zeros
 * follow up to `size` bytes, because fdatasync takes half as long when the file does not grow.
 * @throws what the file system throws. Then the file is removed.
 */
export async function createSegment(segment: Segment, size: number): Promise<OpenSegment> {
  const fd = fs.openSync(segment.path, 'wx', 0o600);
  try {
    segment.bytes = writeFrame(fd, '', 0);
    await reserve(fd, segment.bytes, size);
    await sync(fd);
    await syncDirectory(dirname(segment.path));
    return { segment, fd };
  } catch (error) {
    fs.closeSync(fd);
    await rm(segment.path, { force: true });
    throw error;
  }
}

// When the disk has no room for the zeros, the file grows as it is written.
async function reserve(fd: number, from: number, to: number): Promise<void> {
  try {
    for (let at = from; at < to; ) at += await write(fd, ZEROS.subarray(0, to - at), at);
  } catch {
    fs.ftruncateSync(fd, from);
  }
}

const write = (fd: number, bytes: Buffer, position: number): Promise<number> =>
  new Promise((done, failed) => {
    fs.write(fd, bytes, 0, bytes.length, position, (error, written) =>
      error ? failed(error) : done(written),
    );
  });

const sync = (fd: number): Promise<void> =>
  new Promise((done, failed) => {
    fs.fdatasync(fd, (error) => (error === null ? done() : failed(error)));
  });
