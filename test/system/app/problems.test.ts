/** A panel that refuses an order, that cannot store one, and that rang: the app says so, and why. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepInDirectory } from '../../database-under-test.js';
import { needsIn } from '../../programs.js';
import { type OnePhone, setUp } from './one-phone.js';
import type { Scene } from './scene.js';

keepInDirectory();

const tests = suite<OnePhone>('problems');
const test = needsIn(tests, 'chromium');

setUp(tests);

/** The answer to a write of `desired` that waits for the panel. */
async function waitFor({ server, device }: Scene, data: object): Promise<Record<string, unknown>> {
  const answer = await server.api(`/twins/${device.id}/documents/desired?wait=20`, {
    method: 'PATCH',
    body: JSON.stringify({ data }),
  });
  return (await answer.json()) as Record<string, unknown>;
}

const isOfPanel = (name: string): boolean => name.startsWith('flash.json');

/** Puts the server's data back to what they were in the backup; the panel's flash is not of it. */
function restore(data: string, backup: string): void {
  for (const name of readdirSync(data)) {
    if (!isOfPanel(name)) rmSync(join(data, name), { recursive: true });
  }
  for (const name of readdirSync(backup)) {
    if (!isOfPanel(name)) cpSync(join(backup, name), join(data, name), { recursive: true });
  }
}

test('a server restored from a backup disarms nothing, and the app says why until somebody presses', async ({
  scene,
  phone,
}) => {
  const { data, panel } = scene;
  const backup = mkdtempSync(join(tmpdir(), 'backup-'));
  await scene.stopServer();
  cpSync(data, backup, { recursive: true });
  await scene.restartServer();
  await phone.sees('Panel connected');
  await phone.touch('Arm');
  await phone.seesState('Armed');

  await scene.stopServer();
  restore(data, backup);
  rmSync(backup, { recursive: true });
  await scene.restartServer();
  await phone.sees('the panel has followed a newer one before');
  await phone.sees('The server was perhaps restored from a backup.');
  await phone.seesState('Armed');

  panel.openDoor();
  await phone.sees('is ringing');
  await phone.page.getByRole('alertdialog').getByText('has followed a newer one before').waitFor();
  await phone.touch('Disarm');
  await phone.seesState('Disarmed');
  await phone.seesNo('has followed a newer one before');
  assert.not(panel.state.armed);
});

test('an order that the panel does not understand is said, and the next one is obeyed', async ({
  scene,
  phone,
}) => {
  const { applied, refused } = await waitFor(scene, { alarm_armed: 'yes' });
  assert.equal([applied, refused], [false, { reason: 'not a boolean', key: 'alarm_armed' }]);
  await phone.sees('The panel did not understand the last order.');
  await phone.seesState('Disarmed');
  await phone.touch('Arm');
  await phone.seesState('Armed');
  await phone.seesNo('The panel did not understand the last order.');
});

test('a panel whose flash takes no writes does not arm, and the app says both', async ({ scene, phone }) => {
  const flash = join(scene.data, 'flash.json');
  renameSync(flash, `${flash}.kept`);
  mkdirSync(flash);
  writeFileSync(join(flash, 'in the way'), '');
  try {
    await phone.touch('Arm');
    await phone.sees('its memory takes no writes');
    await phone.sees('The memory of the panel is at fault.');
    await phone.seesState('Disarmed');
    assert.is(await phone.page.locator('.arm-button').textContent(), 'Arm');
    const { applied, refused } = await waitFor(scene, { alarm_armed: true });
    assert.equal([applied, refused], [false, { reason: 'flash takes no writes', key: 'alarm_armed' }]);
  } finally {
    rmSync(flash, { recursive: true });
    renameSync(`${flash}.kept`, flash);
  }
  await phone.touch('Arm');
  await phone.seesState('Armed');
  await phone.seesNo('its memory takes no writes');
  await phone.seesNo('The memory of the panel is at fault.');
});

test('an alarm is said with its time and its contact until the next arming, also one without contact', async ({
  scene,
  phone,
}) => {
  const { panel } = scene;
  await phone.touch('Arm');
  await phone.seesState('Armed');
  panel.networkOff();
  await phone.sees('No contact with the panel');
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
  await phone.touch('Disarm');
  panel.networkOn();
  await phone.seesState('Disarmed');
  await phone.sees(/^Rang at \d\d:\d\d: door$/);
  await phone.page.reload();
  await phone.sees(/^Rang at \d\d:\d\d: door$/);
  panel.closeDoor();
  await phone.seesDoor('closed');
  await phone.touch('Arm');
  await phone.seesState('Armed');
  await phone.seesNo(/^Rang/);
});

test('the list says which panel needs attention', async ({ scene, phone }) => {
  const body = JSON.stringify({ name: 'Garage', allow_insecure: true });
  const made = await scene.server.api('/devices', { method: 'POST', body });
  const { device } = (await made.json()) as { device: { id: string } };
  await waitFor(scene, { alarm_armed: 'yes' });
  await phone.page.goto(`${scene.server.http}/#`);
  await phone.page.reload();
  await phone.page.locator('.item', { hasText: 'Front door' }).getByText('needs attention').waitFor();
  assert.is(await phone.page.locator('.item', { hasText: 'Garage' }).getByText('needs attention').count(), 0);
  await scene.server.api(`/devices/${device.id}`, { method: 'DELETE' });
});

tests.run();
