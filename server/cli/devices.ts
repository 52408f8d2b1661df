/** The commands about devices, and the one that prints the authority's certificate. */

import { allDevices, authorityOf, hubOf, pathOf } from '../../shared/rest.js';
import { UsageError } from '../../shared/usage.js';
import type { Device } from '../devices/device.js';
import type { Credentials } from '../devices/devices.js';
import type { Api } from './api.js';
import { type Call, show, table } from './command.js';
import { type CredentialFiles, credentialFiles } from './credential-files.js';
import { handOver } from './handing-over.js';

type NewCredentials = { device: Device } & Credentials;

export async function listDevices(call: Call): Promise<void> {
  const devices = await allDevices<Device>(call.api.call);
  await show(call, { devices }, () =>
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
  const device = (await call.api.call('GET', pathOf('devices', ...call.words))) as Device;
  await show(call, device, deviceText);
}

const deviceText = (device: Device): string => {
  const width = Math.max(...Object.keys(device).map((field) => field.length));
  return Object.entries(device)
    .map(([field, value]) => `${field.padEnd(width)}  ${value ?? 'never'}`.trimEnd())
    .join('\n');
};

export async function createDevice(call: Call): Promise<void> {
  const { api, given, words } = call;
  const body = {
    name: words[0],
    description: given.description,
    allow_insecure: given['allow-insecure'],
    allow_multiple_connections: given['allow-multiple-connections'],
  };
  const files = await filesFor(call, undefined);
  const made = await api.call('POST', pathOf('devices'), body).catch(async (error) => {
    await files?.undo();
    throw error;
  });
  const credentials = made as NewCredentials;
  const { id } = credentials.device;
  const give = async (): Promise<void> => {
    await files?.write(credentials.certificate);
    await showCredentials(call, credentials);
  };
  await handOver(`the device ${id}`, give, async () => {
    await api.call('DELETE', pathOf('devices', id));
    await files?.undo();
  });
}

/** The old credentials are gone then, so the new ones are printed where they cannot be written into files. */
export async function renewDevice(call: Call): Promise<void> {
  const { api, given, words } = call;
  const keyType = given['key-type'];
  const query = keyType === undefined ? '' : `?${new URLSearchParams({ key_type: String(keyType) })}`;
  const files = await filesFor(call, words[0]);
  const path = `${pathOf('devices', ...words)}/renew-certificate${query}`;
  const credentials = (await api.call('POST', path)) as NewCredentials;
  const failure = await files?.write(credentials.certificate).catch((error: Error) => error);
  if (failure === undefined) return showCredentials(call, credentials);
  await showCredentials({ ...call, given: {} }, credentials);
  throw new Error(`certificate and key are on stdout, because they could not be written: ${failure.message}`);
}

async function filesFor(
  { api, given }: Call,
  device: string | undefined,
): Promise<CredentialFiles | undefined> {
  const directory = given.save;
  return typeof directory === 'string'
    ? await credentialFiles(directory, await authority(api), device)
    : undefined;
}

/** The server gives credentials once only: they are in files with `--save`, else they go to the terminal. */
async function showCredentials(call: Call, credentials: NewCredentials): Promise<void> {
  const { device, certificate, password } = credentials;
  const directory = call.given.save;
  const shown = `id        ${device.id}\npassword  ${password}\n`;
  await show(call, credentials, () =>
    typeof directory === 'string'
      ? `${shown}Certificate and key are in ${directory}; the password is shown this once.`
      : `${shown}\n${certificate.crt}${certificate.key}\nPassword, certificate and key are shown this once.`,
  );
}

export async function deleteDevice(call: Call): Promise<void> {
  const [id = ''] = call.words;
  const { name } = (await call.api.call('GET', pathOf('devices', id))) as Device;
  await confirm(call, `Delete the device ${name} (${id}) and its twin with all documents?`);
  await call.api.call('DELETE', pathOf('devices', id));
  await show(call, { id, deleted: true }, () => 'done');
}

/** @throws UsageError where there is no terminal to ask at, Declined when the answer is not yes */
async function confirm({ ask, given }: Call, question: string): Promise<void> {
  if (given.yes === true) return;
  if (ask === undefined)
    throw new UsageError('there is no terminal to ask at: --yes deletes without a question');
  if (!/^y(es)?$/i.test(await ask(`${question} [y/N] `))) throw new Declined('nothing was deleted');
}

/** The person at the terminal does not want it. */
class Declined extends Error {
  override name = 'Declined';
}

export async function printAuthority(call: Call): Promise<void> {
  const answer = { ca_cert_pem: await authority(call.api) };
  await show(call, answer, ({ ca_cert_pem }) => ca_cert_pem.trimEnd());
}

const authority = async ({ call }: Api): Promise<string> => authorityOf(call, await hubOf(call));
