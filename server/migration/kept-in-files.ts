/**
 * What a server alone keeps in files, and servers that share a database keep in documents: the authority of all
 * certificates, and the settings of the alerts.
 */

import { join } from 'node:path';
import type { Logger } from 'pino';
import { openSettingsDocument } from '../alerts/settings-document.js';
import { openSettingsFile } from '../alerts/settings-file.js';
import type { Storage } from '../storage/storage.js';
import { type AuthorityKeeper, fileKeeper } from '../tls/authority-keeper.js';
import { sharedKeeper } from '../tls/shared-authority.js';

/** The files of the storage that only servers with a database have. */
const SHARED = ['authority', 'alerts/settings'];

/** Whether a file of the storage comes along as it is. */
export const isKeptAlike = (name: string): boolean => !SHARED.includes(name);

const authorityIn = (data: string): AuthorityKeeper => fileKeeper(join(data, 'tls'));

/** @param secret seals the authority, unless it is empty */
export async function bringFiles(data: string, storage: Storage, secret: string, log: Logger): Promise<void> {
  await sharedKeeper(storage, secret, authorityIn(data)).read();
  const { present } = await openSettingsFile(data);
  await (await openSettingsDocument(storage, log)).change(() => present);
}

/** The files are not on stable storage yet. */
export async function takeFiles(storage: Storage, data: string, secret: string, log: Logger): Promise<void> {
  const authority = authorityIn(data);
  const pem = await sharedKeeper(storage, secret, authority).read();
  if (pem !== undefined) await authority.keep(pem);
  const { present } = await openSettingsDocument(storage, log);
  await (await openSettingsFile(data)).change(() => present);
}
