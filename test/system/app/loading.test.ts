/** The page before its script runs, and without it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { changeScript } from './phone.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('loading');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene();
});
tests.after(({ scene }) => scene.close());

const PAGES = [
  { path: '/', what: 'app' },
  { path: '/console', what: 'console' },
];

const STAYS = /If this text stays, the browser could not start it/;
const UNKNOWN = 'let words the browser does not know';
const FAILING = "throw new Error('a browser that lacks something')";

test('the app says what to do where its script is none, fails, or was changed on its way', async ({
  scene,
}) => {
  const address = `${scene.server.http}/`;
  const cases = [
    { code: UNKNOWN, hasPolicy: false },
    { code: FAILING, hasPolicy: false },
    { code: "document.querySelector('#loading').remove()", hasPolicy: true },
  ];
  for (const { code, hasPolicy } of cases) {
    const phone = await scene.phone({ token: '', serviceWorkers: 'block' });
    await changeScript(phone.page, address, code, hasPolicy);
    await phone.page.goto('about:blank');
    await phone.page.goto(address);
    await phone.sees(STAYS);
    await phone.close();
  }
});

test('the console says what to do where its script does not come, is none, or fails', async ({ scene }) => {
  const answers = [
    { status: 403, contentType: 'text/javascript', body: '' },
    { contentType: 'text/html', body: '<p>The proxy says no.</p>' },
    { contentType: 'text/javascript', body: UNKNOWN },
    { contentType: 'text/javascript', body: FAILING },
    undefined,
  ];
  for (const answer of answers) {
    const phone = await scene.phone({ token: '' });
    await phone.page.route('**/console-*.js', (route) =>
      answer === undefined ? route.abort() : route.fulfill(answer),
    );
    await phone.page.goto(`${scene.server.http}/console`);
    await phone.sees(STAYS);
    await phone.close();
  }
});

for (const { path, what } of PAGES) {
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
