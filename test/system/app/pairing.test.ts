/** A phone is paired by a link, stays so, and is so no longer when its token is revoked. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('pairing');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene();
  await context.scene.settle();
});
tests.after(({ scene }) => scene.close());

test('the link pairs the phone, and its token vanishes from the address', async ({ scene }) => {
  const { secret } = await scene.token('app');
  const phone = await scene.phone({ token: secret });
  await phone.seesState('Disarmed');
  assert.is(phone.page.url(), `${scene.server.http}/`);
  assert.is(await phone.page.evaluate('history.length'), 2);
  assert.not.ok(phone.asked.some((address) => address.includes(secret)));
  await phone.page.reload();
  await phone.seesState('Disarmed');
  await phone.close();
});

test('the link may be pasted, and another text is refused', async ({ scene }) => {
  const phone = await scene.phone({ token: '' });
  const { page } = phone;
  await page.getByLabel('Or paste the link').fill('secret');
  await phone.touch('Pair');
  await phone.sees('That is no pairing code.');
  await page.getByLabel('Or paste the link').fill(`${scene.server.http}/#token=${scene.server.token}`);
  await phone.touch('Pair');
  await phone.seesState('Disarmed');
  assert.equal(phone.faults, []);
  await phone.close();
});

test('a code that the server does not know pairs nothing', async ({ scene }) => {
  const phone = await scene.phone({ token: 'ed7a5adc-40c1-4f50-821b-36d87bb5c2bf' });
  await phone.sees('The server does not know this pairing code.');
  assert.is(await phone.page.evaluate('localStorage.length'), 0);
  await phone.close();
});

test('a token that is revoked while the app is open ends it at once, and nothing stays', async ({
  scene,
}) => {
  const { id, secret } = await scene.token('app');
  const phone = await scene.phone({ token: secret });
  await phone.seesState('Disarmed');
  assert.is((await scene.server.api(`/tokens/${id}`, { method: 'DELETE' })).status, 204);
  await phone.sees('This phone is no longer paired.');
  await phone.sees('npm run twin -- pair');
  assert.is(await phone.page.evaluate('localStorage.length'), 0);
  await phone.close();
});

test('a pairing can be forgotten', async ({ scene }) => {
  const phone = await scene.phone();
  await phone.page.getByRole('link', { name: 'Settings' }).tap();
  await phone.touch('Forget the pairing');
  await phone.sees('Pair this phone');
  await phone.page.reload();
  await phone.sees('Pair this phone');
  assert.is(await phone.page.evaluate('localStorage.length'), 0);
  await phone.close();
});

test('only an owner is led to the console', async ({ scene }) => {
  for (const [role, count] of [
    ['owner', 1],
    ['app', 0],
  ] as const) {
    const { secret } = await scene.token(role);
    const phone = await scene.phone({ token: secret });
    await phone.page.getByRole('link', { name: 'Settings' }).tap();
    await phone.sees(role === 'owner' ? 'may do everything' : 'may look, arm and disarm');
    assert.is(await phone.page.getByRole('link', { name: 'Open the console' }).count(), count);
    await phone.close();
  }
});

test('a phone that may only look says so, and changes nothing', async ({ scene }) => {
  const { secret } = await scene.token('reader');
  const phone = await scene.phone({ token: secret });
  await phone.sees('This phone may look, but not arm or disarm.');
  const toggle = phone.page.getByRole('button', { name: 'Arm', exact: true });
  assert.is(await toggle.getAttribute('aria-disabled'), 'true');
  const written: string[] = [];
  phone.page.on('request', (request) => request.method() === 'GET' || written.push(request.url()));
  await toggle.dispatchEvent('click');
  // When the network is back, the list of panels is read, after whatever the click has asked.
  const listed = phone.page.waitForResponse(/\/overview\?/);
  await phone.page.evaluate('dispatchEvent(new Event("online"))');
  await listed;
  assert.equal(written, []);
  assert.is(scene.panel.state.armed, false);
  await phone.close();
});

tests.run();
