/** Every screen, light and dark, on the narrowest phone and on a desktop, for those who see and those who do not. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CurrentDocument } from '../../../shared/panel.js';
import { needsIn } from '../../programs.js';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('screens');
const test = needsIn(tests, 'chromium');

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = [
  { width: 320, height: 640 },
  { width: 1280, height: 900 },
];
const SCHEMES = ['light', 'dark'] as const;

tests.before(async (context) => {
  context.scene = await startScene('Front door of the house of the grandparents in the country');
});
tests.before.each(({ scene }) => scene.settle());
tests.after(({ scene }) => scene.close());

/** Violations of WCAG 2.2 AA and of best practice, and what is wider than the screen. */
async function examine({ page }: Phone, screen: string): Promise<void> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(AXE);
  for (const viewport of SIZES) {
    await page.setViewportSize(viewport);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
      const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      assert.equal(found, [], `${screen}, ${viewport.width} wide, ${colorScheme}`);
    }
    const width = await page.evaluate('document.documentElement.scrollWidth');
    assert.ok(Number(width) <= viewport.width, `${screen} is ${width} wide on ${viewport.width}`);
  }
}

test('the pairing', async ({ scene }) => {
  const phone = await scene.phone({ token: '' });
  await phone.page.getByLabel('Or paste the link').fill('secret');
  await phone.touch('Pair');
  await phone.sees('That is no pairing code.');
  await examine(phone, 'pairing');
  await phone.close();
});

test('the panel: disarmed, arming, armed, alarm, missed alarm, lost, and this phone', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.seesState('Disarmed');
  await examine(phone, 'disarmed');
  scene.panel.powerOff();
  await phone.sees('No contact with the panel');
  await phone.touch('Arm');
  await phone.sees('Will arm when the panel is back.');
  await examine(phone, 'waiting');
  scene.panel.powerOn();
  await phone.seesState('Armed');
  await examine(phone, 'armed');
  scene.panel.openDoor();
  await phone.sees('is ringing');
  await examine(phone, 'alarm');
  const late = await scene.phone();
  await phone.touch('Disarm');
  await phone.seesState('Disarmed');
  await late.sees('The siren rang');
  await examine(late, 'missed alarm');
  await late.close();
  await phone.page.getByRole('button', { name: '7 days' }).click();
  await examine(phone, 'a week');
  await phone.page.getByRole('link', { name: 'Settings' }).click();
  await phone.sees('Let the server send');
  await examine(phone, 'this phone');
  await phone.page.getByRole('link', { name: 'Back' }).click();
  await phone.page.getByRole('link', { name: 'Alerts' }).click();
  await phone.sees('Nothing yet.');
  await examine(phone, 'alerts');
  await phone.close();
});

test('the panel: a last alarm with many contacts, a refusal and a fault', async ({ scene }) => {
  scene.panel.powerOff();
  const data: CurrentDocument = {
    alarm_armed: true,
    siren_ringing: false,
    door_open: false,
    last_alarm: { contacts: ['door', 'window of the kitchen', 'cellar'], at: '2026-03-01T12:00:00Z' },
    refused: { reason: 'older than what was seen before' },
    fault: 'flash',
  };
  await scene.server.api(`/twins/${scene.device.id}/documents/current`, {
    method: 'PUT',
    body: JSON.stringify({ data }),
  });
  const phone = await scene.phone();
  await phone.sees('has followed a newer one before');
  await phone.sees('The memory of the panel is at fault.');
  await phone.sees(/^Rang .*: door, window of the kitchen, cellar$/);
  await examine(phone, 'problems');
  await phone.close();
});

test('the page whose script does not come', async ({ scene }) => {
  const phone = await scene.phone({ token: '', serviceWorkers: 'block' });
  await phone.page.route('**/app-*.js', (route) => route.abort());
  await phone.page.reload();
  await phone.sees('If this text stays');
  await examine(phone, 'loading');
  await phone.close();
});

test('the list, and the console', async ({ scene }) => {
  const body = JSON.stringify({ name: 'Garage', allow_insecure: true });
  const made = await scene.server.api('/devices', { method: 'POST', body });
  const { device } = (await made.json()) as { device: { id: string } };
  const phone = await scene.phone();
  await phone.sees('Garage');
  await examine(phone, 'list');
  await phone.page.goto(`${scene.server.http}/console`);
  await phone.sees('MQTT console');
  await examine(phone, 'console');
  await phone.close();
  await scene.server.api(`/devices/${device.id}`, { method: 'DELETE' });
});

tests.run();
