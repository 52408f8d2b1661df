import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

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
