/** The web client for tests by hand: MQTT over WebSocket in the page. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { until } from '../../until.js';
import { createDevice } from '../server.js';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';

const tests = suite<{ scene: Scene; phone: Phone }>('the console');
const test = needsIn(tests, 'chromium');

tests.before(async (context) => {
  context.scene = await startScene();
  await context.scene.settle();
});
tests.before.each(async (context) => {
  context.phone = await context.scene.phone({ viewport: { width: 1280, height: 900 }, hasTouch: false });
});
tests.after.each(async ({ phone }) => {
  assert.equal(phone.faults, []);
  await phone.close();
});
tests.after(({ scene }) => scene.close());

const logged = ({ page }: Phone, text: string | RegExp) =>
  page.locator('.log li', { hasText: text }).first().waitFor();

const press = ({ page }: Phone, name: string) => page.getByRole('button', { name, exact: true }).click();

async function connectNewDevice({ page }: Phone): Promise<void> {
  await page.getByRole('button', { name: 'New device for tests' }).click();
  await until(async () => (await page.getByLabel('Password').inputValue()) !== '');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
}

test('is opened from the panel, and connects as a device that it makes', async ({ scene, phone }) => {
  await phone.page.getByRole('link', { name: 'Settings' }).click();
  await phone.page.getByRole('link', { name: 'Open the console' }).click();
  await phone.sees('MQTT console');
  assert.is(await phone.page.getByLabel('Device id').inputValue(), scene.device.id);
  await connectNewDevice(phone);
  await logged(phone, 'connected as');
  await logged(phone, 'subscribed to $SCW/twins/me/#');
  await press(phone, 'Disconnect');
  await logged(phone, 'the connection is closed');
});

test('has every request ready, and shows its answer with time, topic and JSON on lines', async ({
  scene,
  phone,
}) => {
  await phone.page.goto(`${scene.server.http}/console`);
  await connectNewDevice(phone);
  await logged(phone, 'subscribed to');
  await press(phone, 'get desired');
  await logged(phone, 'document not found');
  await press(phone, 'put desired');
  await logged(phone, '$SCW/twins/me/desired/put/response/success');
  await logged(phone, '"alarm_armed": true');
  await press(phone, 'patch desired');
  await logged(phone, '$SCW/twins/me/desired/patch/response/success');
  await press(phone, 'put current');
  await press(phone, 'patch current');
  await logged(phone, '"door_open": true');
  await press(phone, 'get current');
  await logged(phone, '$SCW/twins/me/current/get/response/success');
  assert.match(
    (await phone.page.locator('.log li time').first().textContent()) ?? '',
    /^\d\d:\d\d:\d\d\.\d{3}$/,
  );
});

test('shows what two writers of one version meet', async ({ scene, phone }) => {
  await phone.page.goto(`${scene.server.http}/console`);
  await connectNewDevice(phone);
  await logged(phone, 'subscribed to');
  await press(phone, 'version mismatch');
  await logged(phone, 'document version mismatch');
  await logged(phone, '"expected_version": 1');
  await logged(phone, '"actual_version": 2');
});

test('hears what others change, and publishes and subscribes', async ({ scene, phone }) => {
  const { page } = phone;
  const { id, password } = await createDevice(scene.server, 'lamp');
  await page.goto(`${scene.server.http}/console#device=${id}`);
  await page.getByLabel('Password').fill(password);
  await press(phone, 'Connect');
  await logged(phone, 'subscribed to');
  const body = JSON.stringify({ data: { on: true } });
  await scene.server.api(`/twins/${id}/documents/desired`, { method: 'PUT', body });
  await logged(phone, '$SCW/twins/me/desired/changed');

  await page.getByLabel('Topic', { exact: true }).fill(`$SCW/twins/${id}/current/put`);
  await page.getByLabel('Payload').fill('{"data":{"on":true}}');
  await page.getByLabel('QoS').selectOption('2');
  await press(phone, 'Publish');
  await page.getByLabel('Topic filter').fill(`$SCW/twins/${id}/#`);
  await press(phone, 'Subscribe');
  await logged(phone, `subscribed to $SCW/twins/${id}/#`);
  await press(phone, 'Publish');
  await logged(phone, `$SCW/twins/${id}/current/put/response/success`);
  await page.getByLabel('Topic filter').fill('#');
  await press(phone, 'Subscribe');
  await logged(phone, "# is refused: not the device's own twin");
  await page.getByRole('button', { name: 'Unsubscribe from $SCW/twins/me/#' }).click();
  await logged(phone, 'unsubscribed from $SCW/twins/me/#');
});

test('says why it is not let in', async ({ scene, phone }) => {
  await phone.page.goto(`${scene.server.http}/console`);
  await phone.page.getByLabel('Device id').fill(scene.device.id);
  await phone.page.getByLabel('Password').fill('wrong');
  await press(phone, 'Connect');
  await logged(phone, 'refused: device id or password are wrong');
});

test('is not loaded with the app', async ({ phone }) => {
  await phone.sees('Front door');
  assert.not.ok(phone.asked.some((address) => address.includes('console')));
});

tests.run();
