/** The form of a data directory: its number, and the steps from each form to the next. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSION } from '../../shared/version.js';
import { replaceFile } from './directory.js';

const FILE = 'format.json';

/** Turns a copy of a directory of one form into the next form. Nothing else uses the copy meanwhile. */
export type Step = (directory: string) => Promise<void>;

/** The step from form n to form n + 1 stands at place n. Form 0 has no number in it: version 0.1 wrote it. */
export const STEPS: readonly Step[] = [
  // Form 1 differs from form 0 only in that it has a number.
  async () => undefined,
];

/** The form that this program writes. */
export const FORMAT = STEPS.length;

/** The directory, or the backup, has a form that this program does not know, or none that it can read. */
export class UnknownFormat extends Error {
  override name = 'UnknownFormat';
}

/** What `format.json` holds. */
interface Format {
  readonly format: number;
  /** The version that wrote it. */
  readonly program: string;
}

/**
 * The form of a directory.
 * @param known the newest form that is understood
 * @throws UnknownFormat
 */
export async function formatOf(directory: string, known = FORMAT): Promise<number> {
  const path = join(directory, FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return 0;
  const { format, program } = parse(text, path);
  if (format > known) throw new UnknownFormat(newer(directory, format, program, known));
  return format;
}

function parse(text: string, path: string): Format {
  try {
    const { format, program } = JSON.parse(text) as Record<string, unknown>;
    if (Number.isSafeInteger(format) && Number(format) > 0 && typeof program === 'string')
      return { format: Number(format), program };
  } catch {
    // Not JSON: damaged, as is JSON without a number.
  }
  throw new UnknownFormat(`${path} is damaged: put it back from a backup`);
}

/** Says that something was written by a later version. */
export const newer = (what: string, format: number, program: string, known = FORMAT): string =>
  `${what} has format ${format}, written by version ${program}; version ${VERSION} knows formats up to ${known}: ` +
  'install that version or a later one';

export const writeFormat = (directory: string, format = FORMAT): Promise<void> =>
  replaceFile(join(directory, FILE), `${JSON.stringify({ format, program: VERSION } satisfies Format)}\n`);

/** Whether a server has written to the directory. */
export const isUsed = (directory: string): boolean =>
  existsSync(join(directory, 'journal')) || existsSync(join(directory, FILE));

/** Carries out the steps that are missing. @throws UnknownFormat, or what a step throws */
export async function migrate(directory: string, steps: readonly Step[] = STEPS): Promise<void> {
  const from = await formatOf(directory, steps.length);
  if (from === steps.length) return;
  for (const step of steps.slice(from)) await step(directory);
  await writeFormat(directory, steps.length);
}
