/** The app opens without the server, from what the service worker and the page kept. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('offline');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene();
  await context.scene.settle();
});
tests.after(({ scene }) => scene.close());

const UPDATED = `navigator.serviceWorker.getRegistration().then((registration) => {
  const changed = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
  return registration.update().then(() => changed).then(() => 'changed');
})`;
const READY = 'navigator.serviceWorker.ready.then(({ active }) => active.state)';

test('starts without the server, shows the last state as such, and comes back', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.touch('Arm');
  await phone.seesState('Armed');
  await phone.page.evaluate(READY);
  await phone.page.locator('.happenings', { hasText: 'Armed' }).waitFor();

  await scene.stopServer();
  await phone.page.reload();
  await phone.seesState('Armed');
  await phone.sees('No connection to the server');
  await phone.sees('Last known:');
  await phone.sees(/^Updated/);
  await phone.sees(/(Next try in|Trying now)/);
  await phone.page.locator('.happenings', { hasText: 'Armed' }).waitFor();

  await scene.restartServer();
  await phone.sees('Panel connected');
  await phone.seesNo('Last known:');
  assert.equal(phone.faults, []);
  await phone.close();
});

test('can be installed: a manifest with its icons, and a service worker that answers', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.page.evaluate(READY);
  const session = await phone.context.newCDPSession(phone.page);
  const { errors, url } = await session.send('Page.getAppManifest');
  assert.is(url, `${scene.server.http}/manifest.webmanifest`);
  assert.equal(errors, []);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  assert.equal(
    installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'),
    [],
  );
  await phone.close();
});

test('a new version of the app replaces the old one, and what that kept', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.page.evaluate(READY);
  const before = (await phone.page.evaluate('caches.keys()')) as string[];
  assert.is(before.length, 1);

  // The region stands in the page, so it is another app.
  await scene.restartServer({ TWIN_REGION: 'nl-ams' });
  await phone.page.evaluate(UPDATED);
  await phone.page.reload();
  assert.is(await phone.page.locator('html').getAttribute('data-region'), 'nl-ams');
  const after = (await phone.page.evaluate('caches.keys()')) as string[];
  // The version before stays for a page that is still open. The one before that goes.
  assert.equal(after.slice(0, -1), before);
  await phone.sees('Panel connected');

  await scene.restartServer({ TWIN_REGION: 'pl-waw' });
  await phone.page.evaluate(UPDATED);
  await phone.page.reload();
  const third = (await phone.page.evaluate('caches.keys()')) as string[];
  assert.equal(third.slice(0, -1), after.slice(1));
  await phone.close();
});

tests.run();
