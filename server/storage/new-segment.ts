import fs from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './directory.js';
import { encodeFrame } from './frame.js';
import type { Segment } from './segment.js';

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
    const frame = encodeFrame('');
    writeWhole(fd, frame, 0);
    await reserve(fd, frame.length, size);
    await sync(fd);
    await syncDirectory(dirname(segment.path));
    segment.bytes = frame.length;
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

/**
 * Writes all bytes at a position, in as many pieces as the system makes of them. That is a copy into the system's
 * memory, done sooner than a thread would be woken for it; to wait for the disk is what `fdatasync` is for.
 */
export function writeWhole(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
