import type { Logger } from 'pino';
import { putDocument, readDocuments, type Storage } from '../storage/storage.js';
import type { Twins } from '../twins/twins.js';
import type { Devices } from './devices.js';

interface Parts {
  readonly storage: Storage;
  readonly twins: Twins;
  readonly devices: Devices;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

const DONE = { file: 'server', key: 'leftovers' };
/** About as many as a folder has in a large registry. */
const IDS_AT_ONCE = 256;
/** The first two digits of the ids, by which devices and twins lie in folders. */
export const FOLDERS = Array.from({ length: 256 }, (_, number) => number.toString(16).padStart(2, '0'));

/**
 * Removes what is left of devices that are gone. Once it looks through all twins and times of activity, because a kill
 * of an earlier server could leave some. At each start it looks through the times that a crash may have left.
 *
 * A twin comes later than its device, so a twin without a device never belongs to one that is being created. When there
 * is no device at all, nothing is removed, because the registry may be missing from a copy of the directory.
 * @param pause is waited for before each folder, so that other work has its turn. When it rejects, the search ends.
 * @throws StorageUnavailable, and what `pause` rejects with
 */
export async function removeLeftovers(parts: Parts, pause: () => Promise<void>): Promise<void> {
  const { storage, twins, devices } = parts;
  await pause();
  if ((await storage.list('devices/')).length === 0) return;
  const heard = await devices.presence.heardIds();
  for (let at = 0; at < heard.length; at += IDS_AT_ONCE) {
    await pause();
    await removeOf(heard.slice(at, at + IDS_AT_ONCE), parts);
  }
  if ((await readDocuments(storage, DONE.file)).has(DONE.key)) return;
  let isWhole = true;
  for (const folder of FOLDERS) {
    await pause();
    const ids = new Set([...(await twins.idsIn(folder)), ...(await devices.presence.idsIn(folder))]);
    isWhole = (await removeOf(ids, parts)) && isWhole;
  }
  if (!isWhole) return;
  await putDocument(storage, DONE.file, DONE.key, '{}');
}

/** Returns false when something could not be removed, such as a damaged file. */
async function removeOf(ids: Iterable<string>, { twins, devices, log }: Parts): Promise<boolean> {
  let isWhole = true;
  for (const id of ids) {
    try {
      if (await exists(devices, id)) continue;
      await new Promise<void>((done, failed) => {
        twins.clear(id, (error) => (error === null ? done() : failed(error)));
      });
      await devices.presence.forget(id);
      log.info({ device: id }, 'removed what was left of a deleted device');
    } catch (error) {
      isWhole = false;
      log.warn({ device: id, err: error }, 'what is left of a deleted device could not be removed');
    }
  }
  return isWhole;
}

const exists = (devices: Devices, id: string): Promise<boolean> =>
  new Promise((done, failed) => {
    devices.has(id, (error, known) => (error === null ? done(known === true) : failed(error)));
  });
