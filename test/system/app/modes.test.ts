/** A panel with a front door, a window and a key switch, as it is armed and disarmed on the phone. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene; phone: Phone }>('modes on the phone');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene('Cabin', [
    { name: 'front door', kind: 'entry' },
    { name: 'window', kind: 'instant', modes: ['away'] },
    { name: 'key switch', kind: 'key' },
  ]);
});
tests.before.each(async (context) => {
  const { scene } = context;
  scene.panel.set('window', 'closed');
  await scene.settle();
  context.phone = await scene.phone();
  await context.phone.sees('Panel connected');
  await context.phone.seesState('Disarmed');
  // The panel keeps the mode of the test before.
  await choose(context.phone, 'Away');
});
tests.after.each(async ({ phone }) => {
  assert.equal(phone.faults, []);
  await phone.close();
});
tests.after(({ scene }) => scene.close());

/** Delays that the owner has set. */
const setDelays = ({ server, device }: Scene, delays: object): Promise<Response> =>
  server.api(`/twins/${device.id}/documents/desired`, {
    method: 'PATCH',
    body: JSON.stringify({ data: delays }),
  });

const choose = (phone: Phone, mode: string): Promise<void> =>
  phone.page.getByRole('radio', { name: mode }).check({ force: true });

test('each contact is shown by its name, and the panel is armed in the mode that was chosen', async ({
  scene,
  phone,
}) => {
  await phone.sees('Front door closed');
  await phone.sees('Window closed');
  await choose(phone, 'Home');
  await phone.touch('Arm');
  await phone.sees('Armed: Home');
  scene.panel.set('window', 'open');
  await phone.sees('Window open');
  assert.is(scene.panel.state.sirenRinging, false);
});

test('a mode is changed while the panel is armed', async ({ phone }) => {
  await phone.touch('Arm');
  await phone.sees('Armed: Away');
  await choose(phone, 'Night');
  await phone.sees('Armed: Night');
});

test('an open window keeps the panel from arming, and it can be armed without it', async ({
  scene,
  phone,
}) => {
  scene.panel.set('window', 'open');
  await phone.sees('Window open');
  await phone.touch('Arm');
  await phone.sees('because a contact is open');
  await phone.touch('Arm without window');
  await phone.sees('Armed: Away');
  await phone.sees('Window open, left out');
});

test('the exit delay counts down, and the panel is armed at its end', async ({ scene, phone }) => {
  await setDelays(scene, { exit_delay: 2 });
  await phone.touch('Arm');
  await phone.sees(/Leave now: \d s left\./);
  await phone.sees('Armed: Away');
});

test('the entry delay asks to disarm, and the alarm names what rang', async ({ scene, phone }) => {
  await setDelays(scene, { entry_delay: 2 });
  await phone.touch('Arm');
  await phone.sees('Armed: Away');
  scene.panel.set('front door', 'open');
  await phone.sees(/Disarm, or the siren rings: \d s left\./);
  await phone.sees('What rang: front door');
  await phone.touch('Disarm');
  await phone.seesState('Disarmed');
});

test('a disarm at the door is shown as such', async ({ scene, phone }) => {
  await phone.touch('Arm');
  await phone.sees('Armed: Away');
  await scene.panel.press('key switch');
  await phone.seesState('Disarmed');
  await phone.sees('Armed by TWIN_TOKEN');
  await phone.sees(/Disarmed at the door after/);
});

tests.run();
