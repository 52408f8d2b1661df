/** The whole story on one phone and on two: armed, the door opens, the alarm, disarmed; and how long that takes. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { until } from '../../until.js';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene; phone: Phone }>('an alarm on the phone');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene();
});
tests.before.each(async (context) => {
  await context.scene.settle();
  context.phone = await context.scene.phone({ permissions: ['notifications'] });
  await context.phone.seesState('Disarmed');
});
tests.after.each(async ({ scene, phone }) => {
  assert.equal(phone.faults, []);
  const { host } = new URL(scene.server.http);
  assert.equal(
    phone.asked.filter((address) => new URL(address).host !== host),
    [],
  );
  await phone.close();
});
tests.after(({ scene }) => scene.close());

test('arms, sees the door, rings, and is disarmed by one touch', async ({ scene, phone }) => {
  const { panel } = scene;
  await phone.touch('Arm');
  await phone.seesState('Armed');
  assert.ok(panel.state.armed);
  await phone.seesDoor('closed');

  panel.openDoor();
  await phone.sees(`The siren at Front door is ringing. What rang: door.`);
  assert.ok(panel.state.sirenRinging);
  await phone.touch('Disarm');
  await phone.seesState('Disarmed');
  assert.not(panel.state.sirenRinging);
  await phone.seesDoor('open');
  await phone.sees('Siren silent');

  panel.closeDoor();
  await phone.seesDoor('closed');
  for (const line of [
    'Armed',
    'Door opened',
    'Siren rang',
    'Siren stopped after',
    'Disarmed by TWIN_TOKEN after',
    'Door closed after',
  ])
    await phone.page.locator('.happenings', { hasText: line }).waitFor();
});

test('never shows armed before the panel said so', async ({ scene, phone }) => {
  // Notes every state that is shown, however briefly, and whether the toggle stood there.
  await phone.page.evaluate(`{
    window.shown = [];
    const look = () => window.shown.push(document.querySelector('.word').textContent + ' ' + document.querySelector('.arm-button').className);
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  }`);
  scene.panel.powerOff();
  await phone.sees('No contact with the panel');
  await phone.touch('Arm');
  await phone.sees('Will arm when the panel is back.');
  const before = (await phone.page.evaluate('window.shown')) as string[];
  assert.ok(before.length > 0);
  assert.equal(
    before.filter((each) => each.includes('Armed') || each.includes('knob-armed')),
    [],
  );
  scene.panel.powerOn();
  await phone.seesState('Armed');
  assert.ok(scene.panel.state.armed);
});

test('a touch takes a wish back that is still on its way', async ({ scene, phone }) => {
  scene.panel.powerOff();
  await phone.sees('No contact with the panel');
  await phone.touch('Arm');
  await phone.sees('Will arm when the panel is back.');
  await phone.touch('Cancel');
  await phone.seesNo('Will arm when the panel is back.');
  scene.panel.powerOn();
  await phone.sees('Panel connected');
  await phone.seesState('Disarmed');
});

test('two phones show the same, whichever is touched', async ({ scene, phone }) => {
  const other = await scene.phone();
  await other.touch('Arm');
  await Promise.all([phone.seesState('Armed'), other.seesState('Armed')]);
  scene.panel.openDoor();
  await Promise.all([phone.sees('is ringing'), other.sees('is ringing')]);
  await phone.touch('Disarm');
  await Promise.all([phone.seesState('Disarmed'), other.seesState('Disarmed')]);
  await other.close();
});

/** Title and body of each notification that is shown. */
const notificationsOn = ({ page }: Phone) =>
  page.evaluate(
    'navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((all) => all.map(({ title, body }) => [title, body]))',
  ) as Promise<string[][]>;

test('an alarm is a notification too, which goes when it is over', async ({ scene, phone }) => {
  await phone.touch('Arm');
  await phone.seesState('Armed');
  scene.panel.openDoor();
  await phone.sees('is ringing');
  await until(async () => (await notificationsOn(phone)).length > 0);
  assert.equal(await notificationsOn(phone), [
    ['Alarm: Front door', 'The siren is ringing. What rang: door.'],
  ]);
  await phone.touch('Disarm');
  await until(async () => (await notificationsOn(phone)).length === 0);
});

test('no notification stays of an alarm that ends while it is being shown', async ({ scene, phone }) => {
  const holds = (text: string) => until(async () => (await phone.page.evaluate(text)) === true);
  await phone.context.addInitScript(`{
    const { showNotification } = ServiceWorkerRegistration.prototype;
    ServiceWorkerRegistration.prototype.showNotification = async function (...given) {
      await new Promise((show) => { window.showNow = show; });
      await showNotification.apply(this, given);
      window.isShown = true;
    };
  }`);
  await phone.page.reload();
  await phone.touch('Arm');
  await phone.seesState('Armed');
  scene.panel.openDoor();
  await phone.sees('is ringing');
  await holds('window.showNow !== undefined');
  await phone.touch('Disarm');
  await phone.seesState('Disarmed');
  await phone.page.evaluate('window.showNow()');
  await holds('window.isShown');
  await until(async () => (await notificationsOn(phone)).length === 0);
});

test('a phone can be silenced while the siren rings on, and an alarm that was not seen is shown later', async ({
  scene,
  phone,
}) => {
  const other = await scene.phone();
  await other.touch('Arm');
  await phone.seesState('Armed');
  scene.panel.openDoor();
  await phone.touch('Only silence this phone');
  await phone.seesState('Alarm');
  assert.ok(scene.panel.state.sirenRinging);
  scene.panel.closeDoor();
  await other.touch('Disarm');
  await phone.seesState('Disarmed');
  // Both know; one that comes now does not.
  assert.is(await phone.page.getByText('The siren rang').count(), 0);
  assert.is(await other.page.getByText('The siren rang').count(), 0);
  const third = await scene.phone();
  await third.sees('The siren rang');
  await third.touch('OK');
  await third.seesNo('The siren rang');
  await third.page.reload();
  await third.seesState('Disarmed');
  await third.page.locator('.happenings', { hasText: 'Siren rang' }).waitFor();
  assert.is(await third.page.getByText('The siren rang').count(), 0);
  await third.close();
  await other.close();
});

test('an alarm is heard and felt until somebody takes note, once the page was touched', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.context.addInitScript(`{
    window.signals = { tones: 0, shakes: [] };
    const { createOscillator } = AudioContext.prototype;
    AudioContext.prototype.createOscillator = function () {
      window.signals.tones += 1;
      return createOscillator.call(this);
    };
    navigator.vibrate = (pattern) => window.signals.shakes.push(pattern);
  }`);
  await phone.page.reload();
  await phone.touch('Arm');
  await phone.seesState('Armed');
  scene.panel.openDoor();
  await phone.sees('is ringing');
  const signals = () =>
    phone.page.evaluate('window.signals') as Promise<{ tones: number; shakes: unknown[] }>;
  await until(async () => (await signals()).tones >= 2);
  assert.ok(Array.isArray((await signals()).shakes[0]));
  await phone.touch('Only silence this phone');
  await until(async () => (await signals()).shakes.at(-1) === 0);
  await phone.close();
});

tests.run();
