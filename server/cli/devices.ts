/** The commands that make, list, show and renew devices, and that print the authority's certificate. */

import { join } from 'node:path';
import { allDevices, authorityOf, hubOf, pathOf } from '../../shared/rest.js';
import type { Device } from '../devices/device.js';
import type { Credentials } from '../devices/devices.js';
import { makeDirectory, replaceFile } from '../storage/directory.js';
import type { Api } from './api.js';
import { type Call, show, table } from './command.js';

type NewCredentials = { device: Device } & Credentials;

export async function listDevices(call: Call): Promise<void> {
  const devices = await allDevices<Device>(call.api.call);
  show(call, { devices }, () =>
    table(
      ['id', 'name', 'status', 'connected', 'last activity'],
      devices.map(({ id, name, status, is_connected, last_activity_at }) => [
        id,
        name,
        status,
        is_connected ? 'yes' : 'no',
        last_activity_at ?? 'never',
      ]),
    ),
  );
}

export async function showDevice(call: Call): Promise<void> {
  show(call, (await call.api.call('GET', pathOf('devices', ...call.words))) as Device, deviceText);
}

const deviceText = (device: Device): string => {
  const width = Math.max(...Object.keys(device).map((field) => field.length));
  return Object.entries(device)
    .map(([field, value]) => `${field.padEnd(width)}  ${value ?? 'never'}`.trimEnd())
    .join('\n');
};

export async function createDevice(call: Call): Promise<void> {
  const body = {
    name: call.words[0],
    description: call.given.description,
    allow_insecure: call.given['allow-insecure'],
    allow_multiple_connections: call.given['allow-multiple-connections'],
  };
  await handOver(call, (await call.api.call('POST', pathOf('devices'), body)) as NewCredentials);
}

export async function renewDevice(call: Call): Promise<void> {
  const keyType = call.given['key-type'];
  const query = keyType === undefined ? '' : `?${new URLSearchParams({ key_type: String(keyType) })}`;
  const path = `${pathOf('devices', ...call.words)}/renew-certificate${query}`;
  await handOver(call, (await call.api.call('POST', path)) as NewCredentials);
}

/** The server gives credentials once only: they go into files with `--save`, else to the terminal. */
async function handOver(call: Call, credentials: NewCredentials): Promise<void> {
  const { device, certificate, password } = credentials;
  const directory = call.given.save;
  if (typeof directory === 'string') await save(call.api, directory, certificate);
  if (call.json) return call.print(JSON.stringify(credentials));
  const shown = `id        ${device.id}\npassword  ${password}\n`;
  call.print(
    typeof directory === 'string'
      ? `${shown}Certificate and key are in ${directory}; the password is shown this once.`
      : `${shown}\n${certificate.crt}${certificate.key}\nPassword, certificate and key are shown this once.`,
  );
}

async function save(api: Api, directory: string, { crt, key }: Credentials['certificate']): Promise<void> {
  const files = { 'ca.crt': await authority(api), 'device.crt': crt, 'device.key': key };
  await makeDirectory(directory);
  for (const [name, content] of Object.entries(files)) await replaceFile(join(directory, name), content);
}

export async function printAuthority({ api, json, print }: Call): Promise<void> {
  const ca_cert_pem = await authority(api);
  print(json ? JSON.stringify({ ca_cert_pem }) : ca_cert_pem.trimEnd());
}

const authority = async ({ call }: Api): Promise<string> => authorityOf(call, await hubOf(call));
