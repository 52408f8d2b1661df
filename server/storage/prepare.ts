/** What happens to a data directory when its lock is taken, before its journal is opened. */

import { rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { copyContents } from './copy.js';
import { formatOf, isUsed, migrate, STEPS, type Step, writeFormat } from './format.js';
import { refuseMoved } from './moved.js';
import { isDiskFull } from './reserve.js';
import { dropUnfinished, finishSwap, makeReady, stage } from './swap.js';

/** The directory has an older form, and cannot be brought to the present one. It is as it was. */
class NotMigrated extends Error {
  override name = 'NotMigrated';
  constructor(data: string, { message }: Error, cause: unknown) {
    super(`${data} has an older format and could not be copied and migrated; it is as it was: ${message}`, {
      cause,
    });
  }
}

/**
 * Finishes a replacement of the contents, and brings contents of an older form to the present one. The older ones are
 * kept. The caller holds the lock.
 * @param steps replace those of this program. Only tests give them.
 * @throws DirectoryMoved, UnknownFormat, NotMigrated, or what the file system throws
 */
export async function prepareDirectory(
  data: string,
  log: Pick<Logger, 'info' | 'warn'>,
  steps: readonly Step[] = STEPS,
): Promise<void> {
  const replaced = await finishSwap(data);
  if (replaced !== undefined) log.warn(`the data were replaced: what was there before is in ${replaced}`);
  await refuseMoved(data);
  if (!isUsed(data)) return writeFormat(data, steps.length);
  const from = await formatOf(data, steps.length);
  await dropUnfinished(data);
  if (from === steps.length) return;
  const staged = await stage(data, `format-${steps.length}`);
  try {
    await copyContents(data, staged.path);
    await migrate(staged.path, steps);
    await makeReady(data, staged);
  } catch (error) {
    await rm(staged.path, { recursive: true, force: true });
    throw new NotMigrated(data, isDiskFull(error) ? new Error('the disk is full') : (error as Error), error);
  }
  await finishSwap(data);
  log.warn(
    `the data were migrated from format ${from} to format ${steps.length}: what was there before is in ${staged.aside}`,
  );
}
