/** The settings: the language, the names of panels, the paired phones, and the server. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../../../shared/version.js';
import { needsIn } from '../../programs.js';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('settings');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene();
});
tests.after(({ scene }) => scene.close());

const openSettings = async (phone: Phone): Promise<void> => {
  await phone.page.getByRole('link', { name: 'Settings' }).tap();
  await phone.sees(VERSION);
};

test('the app speaks the language of the browser', async ({ scene }) => {
  const phone = await scene.phone({ locale: 'fr-FR' });
  await phone.sees('Désarmée');
  assert.is(await phone.page.locator('html').getAttribute('lang'), 'fr');
  assert.equal(phone.faults, []);
  await phone.close();
});

test('a language that was chosen stays, also without the server', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.page.evaluate('navigator.serviceWorker.ready.then(() => true)');
  await openSettings(phone);
  await phone.page.getByLabel('Language').selectOption('Deutsch');
  await phone.page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
  await phone.page.getByRole('link', { name: 'Zurück' }).tap();
  await phone.sees('Unscharf');
  await phone.context.setOffline(true);
  await scene.stopServer();
  await phone.page.reload();
  await phone.sees(/Keine Verbindung zum Server|Verbindung zum Server wird aufgebaut/);
  await phone.context.setOffline(false);
  await scene.restartServer();
  await phone.close();
});

test('an owner renames a panel, and an app token is not offered that', async ({ scene }) => {
  const owner = await scene.phone();
  await openSettings(owner);
  const name = owner.page.getByLabel('Name of Front door');
  await name.fill('Back door');
  await owner.touch('Save');
  await owner.page.getByText('Saved.').waitFor();
  await owner.page.getByRole('link', { name: 'Back' }).tap();
  await owner.page.getByRole('heading', { level: 1, name: 'Back door' }).waitFor();
  await owner.close();
  const guest = await scene.phone({ token: (await scene.token('app')).secret });
  await openSettings(guest);
  assert.is(await guest.page.getByRole('button', { name: 'Save' }).count(), 0);
  await guest.close();
});

test('an owner reads that an acknowledgement is one disk only', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.page.route('**/hubs', async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { hubs: [object] };
    await route.fulfill({ response: answer, json: { hubs: [{ ...body.hubs[0], warnings: ['one_disk'] }] } });
  });
  await openSettings(phone);
  await phone.sees(/is on one disk only/);
  assert.equal(phone.faults, []);
  await phone.close();
});

test('an owner sees the phones and ends one, which is closed at once', async ({ scene }) => {
  const { secret } = await scene.token('app');
  const lost = await scene.phone({ token: secret });
  await lost.seesState('Disarmed');
  const owner = await scene.phone();
  await openSettings(owner);
  const row = owner.page
    .getByRole('listitem')
    .filter({ hasText: /App, seen/ })
    .last();
  await row.waitFor();
  await row.getByRole('button').tap();
  await row.getByText('Press again to do it').tap();
  await lost.sees('This phone is no longer paired.');
  await lost.close();
  await owner.close();
});

test('a phone sees only itself and ends itself', async ({ scene }) => {
  const phone = await scene.phone({ token: (await scene.token('app')).secret });
  await openSettings(phone);
  const rows = phone.page.getByRole('listitem').filter({ hasText: 'seen' });
  assert.is(await rows.count(), 1);
  await rows.getByRole('button').tap();
  await rows.getByText('Press again to do it').tap();
  await phone.page.getByRole('heading', { name: 'Pair this phone' }).waitFor();
  await phone.close();
});

tests.run();
