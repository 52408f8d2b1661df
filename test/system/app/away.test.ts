/** The panel without power or network, a panel that does not follow, and a server that is away: the app says so, and comes back. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { until } from '../../until.js';
import { type OnePhone, setUp } from './one-phone.js';
import type { Scene } from './scene.js';

const tests = suite<OnePhone>('away');
const test = needsIn(tests, 'chromium');

setUp(tests);

test('a panel without power is shown as it was last, and when that was, and comes back armed', async ({
  scene,
  phone,
}) => {
  await phone.touch('Arm');
  await phone.seesState('Armed');
  scene.panel.powerOff();
  await phone.sees(/No contact with the panel since \d\d:\d\d/);
  await phone.sees('Last known:');
  await phone.seesState('Armed');
  await phone.sees(/^Updated/);
  await phone.page.locator('.happenings', { hasText: 'Contact lost' }).waitFor();

  scene.panel.openDoor();
  scene.panel.powerOn();
  await phone.sees('is ringing');
  await phone.seesNo('Last known:');
});

test('a panel without its network is waited for', async ({ scene, phone }) => {
  scene.panel.networkOff();
  await phone.sees('No contact with the panel');
  scene.panel.openDoor();
  await scene.panel.until(({ doorOpen }) => doorOpen);
  await phone.seesDoor('closed');
  await phone.touch('Arm');
  await phone.sees('Will arm when the panel is back.');
  scene.panel.networkOn();
  await phone.sees('is ringing');
  await phone.sees('Panel connected');
});

test('a panel that is online and does not follow is reported after ten seconds', async ({ scene, phone }) => {
  await phone.page.clock.install();
  await phone.page.reload();
  await phone.sees('Panel connected');
  scene.panel.freezeNetwork();
  await phone.touch('Arm');
  await phone.sees('Arming…');
  await phone.page.clock.runFor(9000);
  await phone.sees('Arming…');
  await phone.page.clock.runFor(2000);
  await phone.sees('The panel is connected, but does not arm.');
  await phone.seesState('Disarmed');
});

/** The streams of events that the server has open. */
async function openStreams({ server }: Scene): Promise<number> {
  const answer = await fetch(`${server.http}/metrics`, { headers: { 'X-Auth-Token': server.token } });
  return Number(/^\w*event_streams\w* (\d+)$/m.exec(await answer.text())?.[1]);
}

test('a server that restarts is come back to, with one connection, and nothing is missed', async ({
  scene,
  phone,
}) => {
  await scene.stopServer();
  await phone.sees(/No connection to the server since \d\d:\d\d/);
  await phone.sees('Last known:');
  await phone.sees('Nothing can be changed without the server.');
  scene.panel.openDoor();
  await scene.restartServer();
  await phone.seesDoor('open');
  await phone.sees('Panel connected');
  await phone.seesNo('Last known:');
  await phone.touch('Arm');
  await phone.sees('is ringing');
  assert.is(await openStreams(scene), 1);
});

test('hidden windows keep one connection together', async ({ scene, phone }) => {
  await phone.close();
  const first = await scene.phone();
  await first.context.addInitScript(
    `Object.defineProperty(document, 'visibilityState', { get: () => (window.isSeen ? 'visible' : 'hidden') })`,
  );
  const windows = await Promise.all(Array.from({ length: 8 }, () => first.context.newPage()));
  // The only one that is seen goes: from now on one of the others keeps the connection.
  await first.page.close();
  for (const page of windows) await page.goto(scene.server.http);
  const [one] = windows;
  await until(async () => (await openStreams(scene)) === 1);
  scene.panel.openDoor();
  await one?.evaluate(`{ window.isSeen = true; document.dispatchEvent(new Event('visibilitychange')); }`);
  await one?.locator('.facts', { hasText: 'Door open' }).waitFor();
  assert.ok((await openStreams(scene)) <= 2);
  await first.close();
});

test('a phone whose network comes back does not wait for its next attempt', async ({ scene, phone }) => {
  await phone.page.clock.install();
  await phone.page.reload();
  await phone.sees('Panel connected');
  await phone.context.setOffline(true);
  // Nothing comes: that is noticed by the silence.
  await phone.page.clock.runFor(40_000);
  await phone.sees('No connection to the server');
  scene.panel.openDoor();
  await scene.panel.until(({ doorOpen }) => doorOpen);
  await phone.context.setOffline(false);
  await phone.seesDoor('open');
});

test('a disk that takes no writes is reported, and the switch stays as it was', async ({ scene, phone }) => {
  await phone.page.route('**/documents/desired', (route) =>
    route.fulfill({ status: 503, json: { type: 'transient_state', message: 'storage unavailable' } }),
  );
  await phone.touch('Arm');
  await phone.sees('The server cannot write: its disk is full or broken.');
  await phone.sees('Make room on the server');
  await phone.touch('OK');
  await phone.seesNo('The server cannot write');
  await phone.seesState('Disarmed');
  assert.is(await phone.page.locator('.wish').textContent(), '');
  assert.not(scene.panel.state.armed);
});

test('a panel that was removed is reported, and the others are listed', async ({ scene, phone }) => {
  const body = JSON.stringify({ name: 'Garage', allow_insecure: true });
  const made = await scene.server.api('/devices', { method: 'POST', body });
  const { device } = (await made.json()) as { device: { id: string } };
  await phone.page.goto(`${scene.server.http}/#panel=${device.id}`);
  await phone.sees('Not heard of yet');
  await scene.server.api(`/devices/${device.id}`, { method: 'DELETE' });
  await phone.sees('The server does not know this panel.');
  await phone.sees('Front door');
});

tests.run();
