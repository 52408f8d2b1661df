/** How the app is handled: by the keyboard, by a thumb that is on its way, and by who wants less motion. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('handling');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene();
});
tests.before.each(({ scene }) => scene.settle());
tests.after(({ scene }) => scene.close());

test('everything can be done by the keyboard', async ({ scene }) => {
  const phone = await scene.phone({ hasTouch: false });
  const { keyboard } = phone.page;
  const focused = (): Promise<string> =>
    phone.page.evaluate('document.activeElement.textContent') as Promise<string>;
  const tabTo = async (name: RegExp): Promise<void> => {
    for (let steps = 0; steps < 20 && !name.test(await focused()); steps += 1) await keyboard.press('Tab');
    assert.match(await focused(), name);
  };
  await phone.seesState('Disarmed');
  await tabTo(/^Arm$/);
  await keyboard.press('Enter');
  await phone.seesState('Armed');
  scene.panel.openDoor();
  await phone.sees('is ringing');
  // The dialog has the focus at once, and keeps it from what is behind.
  assert.match(await focused(), /^Disarm$/);
  await keyboard.press('Escape');
  await phone.sees('is ringing');
  await keyboard.down('Enter');
  await phone.seesState('Disarmed');
  await keyboard.up('Enter');
  await tabTo(/^7 days$/);
  await keyboard.press('Space');
  await phone.page.locator('.ranges [aria-pressed="true"]', { hasText: '7 days' }).waitFor();
  await phone.close();
});

test('nothing moves that somebody is about to touch', async ({ scene }) => {
  for (const viewport of [
    { width: 320, height: 640 },
    { width: 390, height: 844 },
  ]) {
    const phone = await scene.phone({ viewport });
    const places = (): Promise<unknown> =>
      phone.page.evaluate(
        `['.badge', '.word', '.facts', '.updated', '.arm-button', '.past'].map((each) => document.querySelector(each).offsetTop)`,
      );
    await phone.seesState('Disarmed');
    await phone.page.locator('.past').waitFor();
    const before = await places();
    const stay = async (where: string): Promise<void> => assert.equal(await places(), before, where);
    await phone.sees('Panel connected');
    await stay('connected');
    await phone.touch('Arm');
    await phone.seesState('Armed');
    await stay('armed');
    scene.panel.openDoor();
    await phone.sees('is ringing');
    await stay('ringing');
    await phone.touch('Only silence this phone');
    scene.panel.powerOff();
    await phone.sees('No contact with the panel');
    await stay('lost');
    await phone.touch('Disarm');
    await phone.sees('Will disarm when the panel is back.');
    await stay('waiting');
    await scene.stopServer();
    await phone.sees('No connection to the server');
    await stay('without the server');
    await scene.restartServer();
    await scene.settle();
    await phone.seesState('Disarmed');
    await stay('settled');
    await phone.close();
  }
});

test('a browser that asks for less motion gets none', async ({ scene }) => {
  for (const [reducedMotion, moves] of [
    ['reduce', false],
    ['no-preference', true],
  ] as const) {
    const phone = await scene.phone({ reducedMotion });
    await phone.touch('Arm');
    scene.panel.openDoor();
    await phone.sees('is ringing');
    const animation = await phone.page.evaluate(
      `getComputedStyle(document.querySelector('.bell')).animationName`,
    );
    assert.is(animation !== 'none', moves);
    await scene.settle();
    await phone.close();
  }
});

tests.run();
