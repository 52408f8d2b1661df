/**
 * The pictures of the README: the real app on a real panel, after a week. With `APP_PICTURES=1` they replace those in
 * `server/app/pictures`; without it nothing is kept.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { linksOf, readPages } from '../../readme/pages.js';
import { until } from '../../until.js';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';
import { writeWeek } from './week.js';

const PICTURES = 'server/app/pictures';

interface Context {
  scene: Scene;
  phone: Phone;
  folder: string;
}

const tests = suite<Context>('pictures');
const test = needsIn(tests, 'chromium');

const isKept = process.env.APP_PICTURES === '1';
const made: string[] = [];

tests.before(async (context) => {
  context.folder = isKept ? PICTURES : mkdtempSync(join(tmpdir(), 'pictures-'));
  const scene = await startScene();
  context.scene = scene;
  await scene.settle();
  scene.panel.powerOff();
  await scene.server.api(`/twins/${scene.device.id}`, { method: 'DELETE' });
  await scene.stopServer();
  await writeWeek(scene.data, scene.device.id, Date.now());
  await scene.restartServer();
  await scene.settle();
  context.phone = await scene.phone({ viewport: { width: 390, height: 1000 } });
});
tests.after(async ({ scene, phone, folder }) => {
  await phone.close();
  await scene.close();
  if (!isKept) rmSync(folder, { recursive: true });
});

async function take({ phone, folder }: Pick<Context, 'phone' | 'folder'>, name: string): Promise<void> {
  made.push(`${PICTURES}/${name}.png`);
  await phone.page.screenshot({ path: join(folder, `${name}.png`) });
}

const picture = ({ page }: Phone): Promise<string | null> => page.getByRole('img').getAttribute('aria-label');

test('a day and a week are drawn from what the server has recorded', async ({ phone, folder }) => {
  await phone.touch('OK');
  await phone.sees('Panel connected');
  assert.match(
    (await picture(phone)) ?? '',
    /^The last 24 hours: armed for 1[56] h.*, door opened [56] times, siren rang once, no contact for 4\d min\.$/,
  );
  await take({ phone, folder }, 'disarmed');
  await phone.touch('7 days');
  assert.match(
    (await picture(phone)) ?? '',
    /^The last 7 days: armed for 4 days, door opened (2\d|30) times, siren rang once, no contact for 1[12] h /,
  );
  await phone.touch('24 hours');
});

test('an alarm', async ({ scene, phone, folder }) => {
  await phone.touch('Arm');
  await phone.seesState('Armed');
  await take({ phone, folder }, 'armed');
  scene.panel.openDoor();
  await phone.sees('is ringing');
  await take({ phone, folder }, 'alarm');
  await phone.touch('Disarm');
  await phone.seesState('Disarmed');
});

test('a panel that is away, in the dark', async ({ scene, phone, folder }) => {
  scene.panel.powerOff();
  await phone.page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await phone.sees('No contact with the panel');
  await phone.touch('Arm');
  await phone.sees('Will arm when the panel is back.');
  await take({ phone, folder }, 'away');
});

test('the console', async ({ scene, folder }) => {
  const phone = await scene.phone({ viewport: { width: 900, height: 640 }, hasTouch: false });
  await phone.sees('Front door');
  await phone.page.goto(`${scene.server.http}/console`);
  await phone.page.getByRole('button', { name: 'New device for tests' }).click();
  await until(async () => (await phone.page.getByLabel('Password').inputValue()) !== '');
  await phone.page.getByRole('button', { name: 'Connect', exact: true }).click();
  await phone.sees('subscribed to');
  await phone.page.getByRole('button', { name: 'version mismatch' }).click();
  await phone.sees('document version mismatch');
  await phone.page.evaluate('scrollTo(0, 0)');
  await take({ phone, folder }, 'console');
  await phone.close();
});

test('the pages show every picture, and no other', () => {
  const shown = readPages()
    .flatMap(linksOf)
    .map(({ path }) => path)
    .filter((path) => path.startsWith('server/app/pictures/'));
  assert.equal([...new Set(shown)].sort(), [...made].sort());
  for (const path of made) assert.ok(existsSync(path), path);
});

tests.run();
