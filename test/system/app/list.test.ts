/** Several panels: the list, one of them, and an alarm of one that is not looked at. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CurrentDocument } from '../../../shared/panel.js';
import { needsIn } from '../../programs.js';
import { connectDevice, type Device } from '../device.js';
import { createDevice } from '../server.js';
import { type Scene, startScene } from './scene.js';

interface Context {
  scene: Scene;
  /** A second panel, whose reports the test writes. */
  garage: Device;
}

const tests = suite<Context>('several panels');
const test = needsIn(tests, 'chromium');

const QUIET: CurrentDocument = { alarm_armed: false, siren_ringing: false, door_open: false };

tests.before(async (context) => {
  const scene = await startScene();
  context.scene = scene;
  await scene.settle();
  context.garage = await connectDevice(scene.server, await createDevice(scene.server, 'Garage'));
  const lamp = await connectDevice(scene.server, await createDevice(scene.server, 'Lamp'));
  await lamp.ask('current', 'put', { data: { on: true } });
  await lamp.close();
});
tests.before.each(async ({ garage }) => {
  await garage.ask('current', 'put', { data: { ...QUIET, alarm_armed: true } });
});
tests.after(async ({ scene, garage }) => {
  await garage.close();
  await scene.close();
});

test('are listed by their names with their states, and a device that is not a panel is marked', async ({
  scene,
}) => {
  const phone = await scene.phone();
  await phone.sees('Lamp');
  assert.equal(await phone.page.locator('.item strong').allTextContents(), ['Front door', 'Garage', 'Lamp']);
  const lines = await phone.page.locator('.item span:not(.age)').allTextContents();
  assert.equal(lines, ['Disarmed · Door closed', 'Armed · Door closed', 'not an alarm panel']);
  assert.is(await phone.page.getByRole('link', { name: 'Lamp' }).count(), 0);
  await phone.close();
});

test('are opened one at a time, each at its own address', async ({ scene, garage }) => {
  const phone = await scene.phone();
  const { page } = phone;
  await page.getByRole('link', { name: 'Garage' }).tap();
  await phone.seesState('Armed');
  await garage.ask('current', 'patch', { data: { door_open: true } });
  await phone.seesDoor('open');
  await page.getByRole('link', { name: 'Back' }).tap();
  await page.getByRole('link', { name: 'Front door' }).tap();
  await phone.seesState('Disarmed');
  await page.goBack();
  await page.getByRole('link', { name: 'Garage' }).waitFor();
  await page.reload();
  await page.getByRole('link', { name: 'Garage' }).waitFor();
  assert.equal(phone.faults, []);
  await phone.close();
});

test('ring also where they are not looked at', async ({ scene, garage }) => {
  const phone = await scene.phone();
  await phone.sees('Lamp');
  await garage.ask('current', 'patch', { data: { door_open: true, siren_ringing: true } });
  await phone.sees('The siren at Garage is ringing. Door open.');
  await phone.touch('Disarm');
  await phone.sees('Disarming…');
  await garage.ask('current', 'put', { data: QUIET });
  await phone.seesNo('The siren at Garage is ringing.');
  await phone.close();
});

tests.run();
