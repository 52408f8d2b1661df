import fs from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from './directory.js';
import { writeFrame } from './record.js';

/** One file of the journal. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** How much of it is good. */
  bytes: number;
  /** How many files have changes since this segment that only the journal holds. It is needed until there are none. */
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

/** Makes a segment's file end where its good part ends. */
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
 * Creates a segment on stable storage and proves that it takes a write: an empty frame. Behind it lie zeros up to
 * `size` bytes, because to sync what lies within a file takes half the time that a growing file takes.
 * @throws what the file system throws; nothing is left then
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

// Where there is no room for it, the file grows as it is written.
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
