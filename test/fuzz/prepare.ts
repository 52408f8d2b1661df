/** A data directory whose devices and token are the same in every run, so that the same seed makes the same bytes. */

import { digest } from '../../server/access/secret.js';
import { readSettings } from '../../server/config.js';
import type { DeviceRecord } from '../../server/devices/device.js';
import { shardOf } from '../../server/devices/devices.js';
import { makeLog } from '../../server/log.js';
import { openStorage } from '../../server/storage/journaled.js';
import { putDocument } from '../../server/storage/storage.js';
import { isTwinFile } from '../../server/twins/twins.js';
import type { Credentials } from '../server/mqtt/endpoint.js';

const COUNT = 16;
const BORN = '2026-01-01T00:00:00.000Z';

/** Owner of everything. */
export const TOKEN = 'f0220000-0000-4000-8000-000000000000';

/** Devices that inputs speak for. Each may have several connections. */
export const VICTIMS: readonly Credentials[] = Array.from({ length: COUNT }, (_, number) => ({
  id: `${number.toString(16).padStart(8, '0')}-f022-4000-8000-000000000000`,
  password: `password of ${number}`,
}));

const record = (name: string, password: string): DeviceRecord => ({
  name,
  description: '',
  status: 'enabled',
  allow_insecure: true,
  allow_multiple_connections: true,
  created_at: BORN,
  updated_at: BORN,
  password_sha256: digest(password),
});

/** Puts the devices there; no server must be using the directory. */
export async function prepare(data: string): Promise<void> {
  const settings = readSettings({ TWIN_DATA: data });
  const storage = await openStorage(settings, await makeLog('silent'), isTwinFile);
  for (const { id, password } of VICTIMS) {
    await putDocument(storage, shardOf(id), id, JSON.stringify(record(`victim ${id}`, password)));
  }
  await storage.close();
}
