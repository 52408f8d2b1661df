/** The page before its script runs, and without it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('loading');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene();
});
tests.after(({ scene }) => scene.close());

const PAGES = [
  { path: '/', script: '**/app-*.js', what: 'app' },
  { path: '/console', script: '**/console-*.js', what: 'console' },
];

const STAYS = /If this text stays, the browser could not start it/;

for (const { path, script, what } of PAGES) {
  test(`the ${what} says what to do where its script does not come, is none, or fails`, async ({ scene }) => {
    const { http } = scene.server;
    const answers = [
      { status: 403, contentType: 'text/javascript', body: '' },
      { contentType: 'text/html', body: '<p>The proxy says no.</p>' },
      { contentType: 'text/javascript', body: 'let words the browser does not know' },
      { contentType: 'text/javascript', body: "throw new Error('a browser that lacks something')" },
      undefined,
    ];
    for (const answer of answers) {
      // The service worker would give the script that it has kept.
      const phone = await scene.phone({ token: '', serviceWorkers: 'block' });
      await phone.page.route(script, (route) =>
        answer === undefined ? route.abort() : route.fulfill(answer),
      );
      await phone.page.goto('about:blank');
      await phone.page.goto(http + path);
      await phone.sees(STAYS);
      await phone.close();
    }
  });

  test(`the ${what} says that it needs JavaScript where that is switched off`, async ({ scene }) => {
    const phone = await scene.phone({ token: '', javaScriptEnabled: false });
    await phone.page.goto(scene.server.http + path);
    const words = phone.page.locator('noscript p');
    await words.waitFor();
    assert.is(await words.textContent(), `JavaScript is switched off in this browser. The ${what} needs it.`);
    assert.equal(phone.faults, []);
    await phone.close();
  });

  test(`the ${what} takes the place of that text`, async ({ scene }) => {
    const phone = await scene.phone({ token: '' });
    await phone.page.goto(scene.server.http + path);
    await phone.page.locator('#loading').waitFor({ state: 'detached' });
    await phone.page.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(phone.faults, []);
    await phone.close();
  });
}

tests.run();
