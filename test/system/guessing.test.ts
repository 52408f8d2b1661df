/** Wrong secrets from the address of the household, just after the server has started again. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

const WRONG = 12;
const test = suite<{ data: string; server: Server }>('guessing');

test.before((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-guessing-'));
});
test.after(async ({ data, server }) => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

async function newToken(server: Server): Promise<string> {
  const response = await server.api('/tokens', { method: 'POST', body: JSON.stringify({ role: 'app' }) });
  return ((await response.json()) as { secret: string }).secret;
}

const statusFor = async ({ api }: Server, token: string): Promise<number> =>
  (await api('/devices', { headers: { 'X-Auth-Token': token } })).status;

async function connectAs({ mqtt }: Server, { id, password }: Credentials): Promise<void> {
  const client = await connectAsync(mqtt, { username: id, password, reconnectPeriod: 0 });
  await client.endAsync();
}

test('panel, phone and owner are served after a restart, whatever else comes from their address', async (context) => {
  const { data } = context;
  context.server = await startServer({ data });
  const { token } = context.server;
  const panel = await createDevice(context.server, 'house');
  const [phone, unused] = [await newToken(context.server), await newToken(context.server)];
  await connectAs(context.server, panel);
  assert.is(await statusFor(context.server, phone), 200);
  await context.server.stop();

  context.server = await startServer({ data, token });
  for (let n = 0; n < WRONG; n += 1) await statusFor(context.server, randomUUID());
  assert.is(await statusFor(context.server, unused), 429);
  assert.is(await statusFor(context.server, phone), 200);
  assert.is(await statusFor(context.server, token), 200);
  await connectAs(context.server, panel);
});

test.run();
