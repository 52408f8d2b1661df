/**
 * The first screen on a slow network: 2 s of latency and 50 kbit/s, nothing in the cache, no service worker. What the button
 * waits for is counted: round trips one after the other, and bytes as they are sent. The time is printed.
 */

import type { CDPSession } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { openPhone } from './phone.js';
import { PHONE, type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene }>('a slow network');
const test = needsIn(tests, 'chromium');

const BYTES_PER_SECOND = 50_000 / 8;
const SLOW = {
  offline: false,
  latency: 2000,
  downloadThroughput: BYTES_PER_SECOND,
  uploadThroughput: BYTES_PER_SECOND,
};
/** The page with all that the first screen needs, and the answer to what a script in its head asks. */
const MOST_ROUND_TRIPS = 2;
const MOST_BYTES = 33 * 1024;
/** Nothing else is waited for so long. */
const PATIENCE_MS = 60_000;

tests.before(async (context) => {
  context.scene = await startScene();
  await context.scene.settle();
});
tests.after(({ scene }) => scene.close());

interface Load {
  readonly path: string;
  /** How many round trips, one after the other, led to its answer. */
  readonly round: number;
  bytes: number;
}

/** What a page loads over the slow network, as it comes. */
async function watchLoads(session: CDPSession): Promise<Load[]> {
  const under = new Map<string, Load>();
  const answered: Load[] = [];
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    const round = 1 + Math.max(0, ...answered.map((load) => load.round));
    under.set(requestId, { path: new URL(request.url).pathname, round, bytes: 0 });
  });
  session.on('Network.responseReceived', ({ requestId }) => {
    const load = under.get(requestId);
    if (load !== undefined) answered.push(load);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const load = under.get(requestId);
    if (load !== undefined) load.bytes = encodedDataLength;
  });
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', SLOW);
  return answered;
}

test('the button is there after two round trips and few bytes', async ({ scene }) => {
  const phone = await openPhone(scene.browser, 'about:blank', '', { ...PHONE, serviceWorkers: 'block' });
  phone.context.setDefaultTimeout(PATIENCE_MS);
  const loads = await watchLoads(await phone.context.newCDPSession(phone.page));
  const began = Date.now();
  const { http, token } = scene.server;
  await phone.page.goto(`${http}/#token=${token}`, { waitUntil: 'commit', timeout: PATIENCE_MS });
  await phone.page.locator('.arm-button[aria-disabled="false"]').waitFor();
  const took = Date.now() - began;
  const before = [...loads];
  const bytes = before.reduce((sum, load) => sum + load.bytes, 0);
  console.log(
    `${took} ms, ${bytes} bytes, ${before.map(({ path, round }) => `${round} ${path}`).join(', ')}`,
  );
  const rounds = before.filter(({ path }) => !path.endsWith('/events')).map(({ round }) => round);
  assert.is(Math.max(...rounds), MOST_ROUND_TRIPS);
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
  assert.ok(before.some(({ path }) => path.endsWith('/overview')));
  assert.not.ok(before.some(({ path }) => path.includes('later')));
  await phone.sees('Timeline');
  assert.equal(phone.faults, []);
  await phone.close();
});

tests.run();
