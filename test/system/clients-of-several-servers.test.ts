/** A panel on XS, the app in Chromium and Scaleway's client behind HAProxy: they go on whichever server is killed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@scaleway/sdk-client';
import { Iotv1 } from '@scaleway/sdk-iot';
import type { Browser } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DesktopPanel, startPanel } from '../../firmware/desktop/desktop-panel.js';
import { type Postgres, startPostgres } from '../cluster/postgres.js';
import { type Servers, startServers } from '../cluster/servers.js';
import { needsIn, pathOf } from '../programs.js';
import { openPhone, type Phone } from './app/phone.js';
import { launchBrowser, PHONE } from './app/scene.js';
import { nodeOf } from './node-of.js';
import { createDevice, type Server } from './server.js';

interface Context {
  directory: string;
  postgres: Postgres;
  servers: Servers;
  device: string;
  panel: DesktopPanel;
  browser: Browser;
  phone: Phone;
  sdk: Iotv1.API;
}

const PROGRAMS = ['postgres', 'psql', 'haproxy', 'chromium'];
const COUNT = 3;

const tests = suite<Context>('clients of several servers');
const test = needsIn(tests, ...PROGRAMS);

tests.before(async (context) => {
  if (!PROGRAMS.every(pathOf)) return;
  context.directory = mkdtempSync(join(tmpdir(), 'twin-clients-'));
  context.postgres = await startPostgres();
  context.servers = await startServers(context.postgres.url, COUNT);
  const { http, mqtt, token, each } = context.servers;
  const { id, password } = await createDevice(each[0] as Server, 'Front door');
  context.device = id;
  context.panel = await startPanel({
    server: mqtt,
    device: id,
    password,
    flash: join(context.directory, 'flash.json'),
    config: { backOffMin: 50, backOffMax: 200, backOffLost: 200 },
  });
  context.browser = await launchBrowser();
  context.phone = await openPhone(context.browser, http, token, PHONE);
  const client = { apiURL: http, accessKey: 'SCWXXXXXXXXXXXXXXXXX', secretKey: token };
  context.sdk = new Iotv1.API(createClient({ ...client, defaultRegion: 'fr-par' }));
});

tests.after(async ({ directory, postgres, servers, panel, browser }) => {
  panel?.stop();
  await browser?.close();
  await servers?.stop();
  await postgres?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

/** Which server has the connection of the panel. */
async function serverOfPanel({ postgres, servers, device }: Context): Promise<number> {
  const node = await postgres.sql(`SELECT node_id FROM presence WHERE device_id = '${device}'`);
  const nodes = await Promise.all(servers.each.map(({ http }) => nodeOf(http, servers.token)));
  return nodes.indexOf(node);
}

/** The app arms the panel, and sees what happens at the door. */
async function assertAlarm({ panel, phone }: Context): Promise<void> {
  await phone.touch('Arm');
  await phone.seesState('Armed');
  assert.ok(panel.state.armed);
  panel.openDoor();
  await phone.sees('The siren at Front door is ringing. What rang: door.');
  await phone.touch('Disarm');
  await phone.seesState('Disarmed');
  assert.not(panel.state.sirenRinging);
  panel.closeDoor();
  await phone.seesDoor('closed');
}

/** Scaleway's client writes, reads what it wrote, and reads what the panel says. */
async function assertDocuments({ sdk, device: twinId }: Context, version: number): Promise<void> {
  const document = { twinId, documentName: 'notes' };
  const put = await sdk.putTwinDocument({ ...document, data: { version } });
  assert.is(put.version, version);
  assert.equal(await sdk.getTwinDocument(document), put);
  const { data } = await sdk.getTwinDocument({ twinId, documentName: 'current' });
  assert.is(data?.alarm_armed, false);
}

test('they go on when the server is killed that serves the panel, and then each other one', async (context) => {
  const { panel, phone, servers } = context;
  await panel.until(({ online }) => online);
  await phone.sees('Panel connected');
  await assertAlarm(context);
  await assertDocuments(context, 1);

  const first = await serverOfPanel(context);
  assert.ok(first >= 0);
  for (let turn = 0; turn < COUNT; turn += 1) {
    const victim = (first + turn) % COUNT;
    const isServed = (await serverOfPanel(context)) === victim;
    const lost = isServed ? panel.until(({ online }) => !online) : undefined;
    await servers.kill(victim);
    await lost;
    await panel.until(({ online }) => online);
    await phone.sees('Panel connected');
    await assertAlarm(context);
    await assertDocuments(context, turn + 2);
    assert.is.not(await serverOfPanel(context), victim);
    await servers.restart(victim);
  }
  assert.equal(phone.faults, []);
});

tests.run();
