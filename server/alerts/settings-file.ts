import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../shared/document.js';
import { isObject } from '../../shared/document.js';
import { replaceFile } from '../storage/directory.js';
import { InvalidRequest } from '../twins/errors.js';
import { type AlertSettings, NO_SETTINGS, parseSettings, type SettingsPlace } from './settings.js';

/** The owner's file cannot be understood. The message says where. */
class AlertSettingsError extends Error {
  override name = 'AlertSettingsError';
}

/** The file `alerts.json` of a data directory. @throws AlertSettingsError */
export async function openSettingsFile(data: string): Promise<SettingsPlace> {
  let present = await readAlertSettings(data);
  let work: Promise<unknown> = Promise.resolve();
  return {
    get present() {
      return present;
    },
    read: async () => undefined,
    change(change) {
      const changed = work.then(async () => {
        const next = change(present);
        await writeAlertSettings(data, next);
        present = next;
        return next;
      });
      work = changed.catch(() => undefined);
      return changed;
    },
    watch: () => undefined,
  };
}

const pathIn = (data: string): string => join(data, 'alerts.json');

/** The settings in a data directory; none where there is no file. @throws AlertSettingsError */
async function readAlertSettings(data: string): Promise<AlertSettings> {
  const path = pathIn(data);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new AlertSettingsError(`${path}: ${error.message}`);
  });
  if (text === undefined) return NO_SETTINGS;
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) throw new AlertSettingsError('not a JSON object');
    return parseSettings(value);
  } catch (error) {
    const where = error instanceof InvalidRequest ? `${error.argument}: ` : '';
    throw new AlertSettingsError(`${path}: ${where}${(error as Error).message}`);
  }
}

/** Only the owner of the file can read it, because it has passwords. @throws what the file system throws */
const writeAlertSettings = (data: string, settings: AlertSettings): Promise<void> =>
  replaceFile(pathIn(data), `${JSON.stringify(settings as unknown as JsonObject, undefined, 2)}\n`);
