/** Every screen in every language, light and dark, on phones and on a desktop, for those who see and those who do not. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CurrentDocument } from '../../../shared/panel.js';
import { needsIn } from '../../programs.js';
import { changeScript, type Phone } from './phone.js';
import { type PhoneOptions, type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('screens');
const test = needsIn(tests, 'chromium');

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = [
  { width: 320, height: 640 },
  { width: 390, height: 844 },
  { width: 1280, height: 900 },
];
const LOCALES = ['en-GB', 'de-DE', 'fr-FR', 'es-ES'];
const SCHEMES = ['light', 'dark'] as const;

tests.before(async (context) => {
  context.scene = await startScene('Front door of the house of the grandparents in the country');
});
tests.before.each(({ scene }) => scene.settle());
tests.after(({ scene }) => scene.close());

/** Violations of WCAG 2.2 AA and of best practice, and what is wider than the screen. */
async function examine({ page }: Phone, screen: string): Promise<void> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(AXE);
  const language = await page.evaluate('document.documentElement.lang');
  for (const [index, viewport] of SIZES.entries()) {
    await page.setViewportSize(viewport);
    // Colours are the same in all languages, so the others take the themes in turn.
    const schemes = language === 'en' ? SCHEMES : [SCHEMES[index % SCHEMES.length]];
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme: colorScheme ?? null, reducedMotion: 'reduce' });
      const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
      const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      assert.equal(found, [], `${screen}, ${language}, ${viewport.width} wide, ${colorScheme}`);
    }
    const width = await page.evaluate('document.documentElement.scrollWidth');
    assert.ok(Number(width) <= viewport.width, `${screen}, ${language}: ${width} wide on ${viewport.width}`);
  }
}

/** The same screen on a phone in each language. */
interface Phones {
  readonly english: Phone;
  /** Examines the screen once it has come on every phone, known by its marks, which are the same in all languages. */
  examine(screen: string, selector: string): Promise<void>;
  /** Opens another screen on all of them by the part of the address behind the `#`. */
  go(fragment: string): Promise<void>;
  close(): Promise<void>;
}

async function phonesIn(scene: Scene, options: PhoneOptions = {}): Promise<Phones> {
  const phones: Phone[] = [];
  for (const locale of LOCALES) phones.push(await scene.phone({ ...options, locale }));
  const [english] = phones;
  if (english === undefined) throw new Error('there is no language');
  const all = async (act: (phone: Phone) => Promise<unknown>): Promise<void> => {
    await Promise.all(phones.map(act));
  };
  return {
    english,
    examine: (screen, selector) =>
      all(async (phone) => {
        await phone.page.locator(selector).first().waitFor();
        await examine(phone, screen);
      }),
    go: (fragment) => all(({ page }) => page.evaluate(`location.hash = '${fragment}'`)),
    close: () => all((phone) => phone.close()),
  };
}

test('the pairing', async ({ scene }) => {
  const phones = await phonesIn(scene, { token: 'ed7a5adc-40c1-4f50-821b-36d87bb5c2bf' });
  await phones.examine('pairing', '.pairing .fault strong');
  await phones.close();
});

test('the panel: disarmed, waiting, armed, alarm, missed alarm', async ({ scene }) => {
  const phones = await phonesIn(scene);
  const { english } = phones;
  await phones.examine('disarmed', '.state.mood-disarmed:not(.old)');
  scene.panel.powerOff();
  await english.sees('No contact with the panel');
  await english.touch('Arm');
  await english.sees('Will arm when the panel is back.');
  await phones.examine('waiting', '.state.old');
  scene.panel.powerOn();
  await english.seesState('Armed');
  await phones.examine('armed', '.state.mood-armed:not(.old)');
  scene.panel.openDoor();
  await phones.examine('alarm', 'dialog.alarm[open]');
  const late = await phonesIn(scene);
  await english.touch('Disarm');
  await english.seesState('Disarmed');
  await late.examine('missed alarm', '.toast');
  await late.close();
  await phones.close();
});

test('a week, the settings, the alerts, and a panel that is not there', async ({ scene }) => {
  const phones = await phonesIn(scene);
  await phones.english.page.getByRole('button', { name: '7 days' }).click();
  await examine(phones.english, 'a week');
  await phones.go('#phone');
  await phones.examine('settings', '.phone .offer');
  await phones.go('#alerts');
  await phones.examine('alerts', '.muting');
  await phones.go('#panel=6f1d2b3c-4a5e-4c7d-8b9a-0e1f2a3b4c5d');
  await phones.examine('a panel that is not there', '.list');
  await phones.close();
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
  const phones = await phonesIn(scene);
  await phones.english.sees('has followed a newer one before');
  await phones.english.sees('The memory of the panel is at fault.');
  await phones.english.sees(/^Rang .*: door, window of the kitchen, cellar$/);
  await phones.examine('problems', '.problem');
  await phones.close();
});

test('the page whose script does not run', async ({ scene }) => {
  for (const locale of LOCALES) {
    const phone = await scene.phone({ token: '', serviceWorkers: 'block', locale });
    await changeScript(phone.page, `${scene.server.http}/`, '', true);
    await phone.page.reload();
    await phone.page.locator('#loading p').first().waitFor();
    await examine(phone, 'loading');
    await phone.close();
  }
});

test('the list, and the console', async ({ scene }) => {
  const body = JSON.stringify({ name: 'Garage', allow_insecure: true });
  const made = await scene.server.api('/devices', { method: 'POST', body });
  const { device } = (await made.json()) as { device: { id: string } };
  const phones = await phonesIn(scene);
  await phones.examine('list', '.list .item:nth-child(2)');
  await phones.english.page.goto(`${scene.server.http}/console`);
  await phones.english.sees('MQTT console');
  await examine(phones.english, 'console');
  await phones.close();
  await scene.server.api(`/devices/${device.id}`, { method: 'DELETE' });
});

tests.run();
