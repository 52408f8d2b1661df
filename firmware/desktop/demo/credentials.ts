/** The token and the device of `npm start`, kept between starts in a file that only its owner can read. */

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Api } from './api.js';

const FILE = 'demo.json';

export interface Credentials {
  token: string;
  device?: PanelDevice;
}

export interface PanelDevice {
  id: string;
  password: string;
}

/** What an earlier start kept, or a new token. @throws SyntaxError when the file is damaged */
export function readCredentials(data: string): Credentials {
  const path = join(data, FILE);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Credentials;
  const credentials = { token: randomUUID() };
  mkdirSync(data, { recursive: true, mode: 0o700 });
  keep(data, credentials);
  return credentials;
}

/** The device of an earlier start if the server still knows it, else a new one, which is kept. */
export async function panelDevice(data: string, credentials: Credentials, api: Api): Promise<PanelDevice> {
  const { device } = credentials;
  if (device !== undefined && (await api.knowsDevice(device.id))) return device;
  const created = await api.createDevice('panel');
  keep(data, { ...credentials, device: created });
  return created;
}

const keep = (data: string, credentials: Credentials): void =>
  writeFileSync(join(data, FILE), `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
