/** How the app fits: the smallest phones, one on its side, large text, and names that try to turn the text around. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { createDevice } from '../server.js';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('fit');
const test = needsIn(tests, 'chromium');

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

tests.before(async (context) => {
  context.scene = await startScene('Front door\u202e of the house');
});
tests.before.each(({ scene }) => scene.settle());
tests.after(({ scene }) => scene.close());

async function boxOf({ page }: Phone, selector: string): Promise<Box> {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`${selector} is not there`);
  return box;
}

const overlap = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

const SMALL = { width: 320, height: 568 };
const ON_ITS_SIDE = { width: 568, height: 320 };

test('a message covers neither the button that arms nor the whole screen', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.seesState('Disarmed');
  // The server answers an order that it must refuse.
  await phone.page.route('**/documents/desired*', (route) =>
    route.request().method() === 'GET' ? route.continue() : route.fulfill({ status: 503, body: '{}' }),
  );
  for (const viewport of [SMALL, ON_ITS_SIDE]) {
    await phone.page.setViewportSize(viewport);
    await phone.page.locator('.arm-button').scrollIntoViewIfNeeded();
    await phone.touch('Arm');
    await phone.sees('The server cannot write');
    const [toast, button] = [await boxOf(phone, '.toasts'), await boxOf(phone, '.arm-button')];
    assert.not.ok(overlap(toast, button), JSON.stringify({ viewport, toast, button }));
    assert.ok(toast.height <= viewport.height / 2);
    await phone.touch('OK');
    await phone.seesNo('The server cannot write');
  }
  await phone.close();
});

test('on a phone on its side, what can be done stands beside the state', async ({ scene }) => {
  const phone = await scene.phone({ viewport: ON_ITS_SIDE });
  await phone.seesState('Disarmed');
  const [state, button] = [await boxOf(phone, '.state'), await boxOf(phone, '.arm-button')];
  assert.ok(button.x >= state.x + state.width);
  assert.ok(button.y + button.height <= ON_ITS_SIDE.height, 'without scrolling');
  await phone.close();
});

test('text of twice the size fits the narrowest phone on every screen', async ({ scene }) => {
  const phone = await scene.phone({ viewport: SMALL, locale: 'de-DE' });
  await phone.sees('Unscharf');
  const enlarge = `document.documentElement.style.fontSize = '200%'`;
  const fits = async (screen: string): Promise<void> => {
    await phone.page.evaluate(enlarge);
    const width = Number(await phone.page.evaluate('document.documentElement.scrollWidth'));
    assert.ok(width <= SMALL.width, `${screen} is ${width} wide`);
  };
  await fits('panel');
  await phone.page.getByRole('link', { name: 'Einstellungen' }).tap();
  await phone.sees('Gekoppelte Handys');
  await fits('settings');
  await phone.page.getByRole('link', { name: 'Zurück' }).tap();
  await phone.page.getByRole('link', { name: 'Meldungen' }).tap();
  await phone.sees('Stumm schalten');
  await fits('alerts');
  await phone.page.getByRole('link', { name: 'Zurück' }).tap();
  scene.panel.openDoor();
  await phone.touch('Scharf schalten');
  await phone.sees('Die Sirene läuft');
  await fits('alarm');
  await phone.close();
  const unpaired = await scene.phone({ token: '', viewport: SMALL, locale: 'de-DE' });
  await unpaired.sees('Handy koppeln');
  await unpaired.page.evaluate(enlarge);
  assert.ok(Number(await unpaired.page.evaluate('document.documentElement.scrollWidth')) <= SMALL.width);
  await unpaired.close();
});

test('everything that can be touched is large enough for a thumb', async ({ scene }) => {
  const phone = await scene.phone({ viewport: SMALL });
  await phone.seesState('Disarmed');
  for (const each of await phone.page.locator('button, a').all()) {
    const { width, height } = (await each.boundingBox()) ?? { width: 0, height: 0 };
    assert.ok(Math.min(width, height) >= 44, `${await each.innerText()}: ${width} by ${height}`);
  }
  await phone.close();
});

test('a name turns neither the title nor the texts around', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.seesState('Disarmed');
  assert.is(await phone.page.title(), 'Disarmed · Front door of the house');
  assert.not.ok((await phone.page.content()).includes('\u202e'));
  await phone.close();
});

test('a panel that was not heard of yet cannot be armed', async ({ scene }) => {
  const { id } = await createDevice(scene.server, 'New');
  const phone = await scene.phone();
  await phone.sees('New');
  await phone.page.goto(`${scene.server.http}/#panel=${id}`);
  await phone.seesState('Not heard of yet');
  assert.is(await phone.page.getByRole('button', { name: 'Arm', exact: true }).count(), 0);
  await scene.server.api(`/devices/${id}`, { method: 'DELETE' });
  await phone.sees('The server does not know this panel.');
  assert.is(await phone.page.locator('.toast').count(), 0);
  await phone.close();
});

test('an address that is none leads to the app, and for a program stays an error', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.seesState('Disarmed');
  await phone.page.goto(`${scene.server.http}/settings`);
  await phone.seesState('Disarmed');
  await phone.close();
});

tests.run();
