/** The files of a device's credentials. What would keep them from being written is found before the server makes any. */

import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '../devices/devices.js';
import { makeDirectory, replaceFile } from '../storage/directory.js';

/** The files cannot be written there. The message is for the person at the terminal. */
class SaveRefused extends Error {
  override name = 'SaveRefused';
}

const AUTHORITY = 'ca.crt';
const CERTIFICATE = 'device.crt';
const KEY = 'device.key';

export interface CredentialFiles {
  write(certificate: Credentials['certificate']): Promise<void>;
  /** Removes what was not there before. */
  undo(): Promise<void>;
}

/**
 * Makes the directory, and writes the authority's certificate into it, which shows that files can be written there.
 * @param device the one whose files may be replaced; undefined for a device that is still to be made
 * @throws SaveRefused, or what the file system throws
 */
export async function credentialFiles(
  directory: string,
  authority: string,
  device: string | undefined,
): Promise<CredentialFiles> {
  const isNew = !existsSync(directory);
  const added = [AUTHORITY, CERTIFICATE, KEY].filter((name) => !existsSync(join(directory, name)));
  await refuseFilesOfOthers(directory, device);
  const undo = async (): Promise<void> => {
    for (const name of added) await rm(join(directory, name), { force: true });
    if (isNew) await rmdir(directory).catch(() => undefined);
  };
  try {
    await makeDirectory(directory);
    await replaceFile(join(directory, AUTHORITY), authority);
  } catch (error) {
    await undo().catch(() => undefined);
    throw error;
  }
  return {
    undo,
    async write({ crt, key }) {
      await replaceFile(join(directory, KEY), key);
      await replaceFile(join(directory, CERTIFICATE), crt);
    },
  };
}

/** The key of a device is nowhere else, so it must not be replaced by that of another. */
async function refuseFilesOfOthers(directory: string, device: string | undefined): Promise<void> {
  const certificate = join(directory, CERTIFICATE);
  const found = [CERTIFICATE, KEY].map((name) => join(directory, name)).find(existsSync);
  if (found === undefined) return;
  const owner = existsSync(certificate) ? nameIn(await readFile(certificate)) : undefined;
  if (device !== undefined && (owner ?? device) === device) return;
  throw new SaveRefused(`${found} is there already, and is of ${owner ?? 'another device'}`);
}

/** The common name in a certificate. Undefined when it is none. */
function nameIn(pem: Buffer): string | undefined {
  try {
    return /^CN=(.+)$/m.exec(new X509Certificate(pem).subject)?.[1];
  } catch {
    return undefined;
  }
}
