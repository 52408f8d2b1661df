/** What proves who is who: the authority's certificate, and what a device is given once. */

import { join } from 'node:path';
import type { Device } from '../devices/device.js';
import type { Credentials } from '../devices/devices.js';
import { makeDirectory, replaceFile } from '../storage/directory.js';
import { type Api, pathOf } from './api.js';
import type { Call } from './command.js';

type Given = { device: Device } & Credentials;

export async function printAuthority({ api, json, print }: Call): Promise<void> {
  const ca_cert_pem = await authorityOf(api);
  print(json ? JSON.stringify({ ca_cert_pem }) : ca_cert_pem.trimEnd());
}

export async function createDevice(call: Call): Promise<void> {
  const body = JSON.stringify({
    name: call.words[0],
    description: call.given.description,
    allow_insecure: call.given['allow-insecure'],
    allow_multiple_connections: call.given['allow-multiple-connections'],
  });
  await hand(call, (await call.api.call('POST', '/devices', body)) as Given);
}

export async function renewDevice(call: Call): Promise<void> {
  const keyType = call.given['key-type'];
  const query = keyType === undefined ? '' : `?${new URLSearchParams({ key_type: String(keyType) })}`;
  const path = `${pathOf('devices', ...call.words)}/renew-certificate${query}`;
  await hand(call, (await call.api.call('POST', path)) as Given);
}

async function authorityOf(api: Api): Promise<string> {
  const { hubs } = (await api.call('GET', '/hubs')) as { hubs: { id: string }[] };
  const path = `${pathOf('hubs', hubs[0]?.id ?? '')}/ca`;
  return ((await api.call('GET', path)) as { ca_cert_pem: string }).ca_cert_pem;
}

/** Nobody gets it a second time: into files where that is wanted, else to the terminal. */
async function hand(call: Call, given: Given): Promise<void> {
  const { device, certificate, password } = given;
  const directory = call.given.save;
  if (typeof directory === 'string') await save(call.api, directory, certificate);
  if (call.json) return call.print(JSON.stringify(given));
  const shown = `id        ${device.id}\npassword  ${password}\n`;
  call.print(
    typeof directory === 'string'
      ? `${shown}Certificate and key are in ${directory}; the password is shown this once.`
      : `${shown}\n${certificate.crt}${certificate.key}\nPassword, certificate and key are shown this once.`,
  );
}

async function save(api: Api, directory: string, { crt, key }: Given['certificate']): Promise<void> {
  const files = { 'ca.crt': await authorityOf(api), 'device.crt': crt, 'device.key': key };
  await makeDirectory(directory);
  for (const [name, content] of Object.entries(files)) await replaceFile(join(directory, name), content);
}
