/** The tokens and the device of `npm start`, kept between starts in a file that only its owner can read. */

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../replace-file.js';
import type { NewDevice, ServerApi } from '../server-api.js';

const FILE = 'demo.json';

export interface Credentials {
  /** Of the role owner. */
  token: string;
  /** Of the role app, for the phone that scans the QR code. */
  appToken?: string;
  device?: NewDevice;
}

class CredentialsDamaged extends Error {
  override name = 'CredentialsDamaged';
  constructor(path: string) {
    super(`${path} is damaged. Delete it: the next start makes a new token and a new device.`);
  }
}

/** What an earlier start kept, or a new token, which is not kept yet. @throws CredentialsDamaged */
export function readCredentials(data: string): Credentials {
  const path = join(data, FILE);
  return existsSync(path) ? parseCredentials(readFileSync(path, 'utf8'), path) : { token: randomUUID() };
}

function parseCredentials(text: string, path: string): Credentials {
  try {
    const credentials = JSON.parse(text) as Credentials;
    if (typeof credentials.token === 'string') return credentials;
  } catch {
    // Not JSON: damaged, as is JSON without a token.
  }
  throw new CredentialsDamaged(path);
}

/**
 * The device and the token for a phone of an earlier start if the server still knows them, else new ones. All is kept in the
 * data directory, which the server has made. It is written first, so that nothing is made that could not be kept.
 */
export async function completed(
  data: string,
  credentials: Credentials,
  api: ServerApi,
): Promise<Required<Credentials>> {
  keep(data, credentials);
  const { token, appToken, device } = credentials;
  const complete = {
    token,
    device:
      device !== undefined && (await api.knowsDevice(device.id))
        ? device
        : await api.createDevice({ name: 'panel', allow_insecure: true }),
    appToken:
      appToken !== undefined && (await api.knowsToken(appToken))
        ? appToken
        : await api.createToken({ role: 'app', description: 'phone of npm start' }),
  };
  keep(data, complete);
  return complete;
}

const keep = (data: string, credentials: Credentials): void =>
  replaceFile(join(data, FILE), `${JSON.stringify(credentials, null, 2)}\n`);
