/** The token and the device of `npm start`, kept between starts in a file that only its owner can read. */

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../replace-file.js';
import type { NewDevice, ServerApi } from '../server-api.js';

const FILE = 'demo.json';

export interface Credentials {
  token: string;
  device?: NewDevice;
}

class CredentialsDamaged extends Error {
  override name = 'CredentialsDamaged';
  constructor(path: string) {
    super(`${path} is damaged. Delete it: the next start makes a new token and a new device.`);
  }
}

/** What an earlier start kept, or a new token. @throws CredentialsDamaged */
export function readCredentials(data: string): Credentials {
  const path = join(data, FILE);
  if (existsSync(path)) return parseCredentials(readFileSync(path, 'utf8'), path);
  const credentials = { token: randomUUID() };
  mkdirSync(data, { recursive: true, mode: 0o700 });
  keep(data, credentials);
  return credentials;
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

/** The device of an earlier start if the server still knows it, else a new one, which is kept. */
export async function panelDevice(
  data: string,
  credentials: Credentials,
  api: ServerApi,
): Promise<NewDevice> {
  const { device } = credentials;
  if (device !== undefined && (await api.knowsDevice(device.id))) return device;
  const created = await api.createDevice({ name: 'panel', allow_insecure: true });
  keep(data, { ...credentials, device: created });
  return created;
}

const keep = (data: string, credentials: Credentials): void =>
  replaceFile(join(data, FILE), `${JSON.stringify(credentials, null, 2)}\n`);
