/**
 * Notifications on the phone: Chromium's real service worker shows what a push service of the test got from the real server.
 * This Chromium has no push service of its own, so the page's `PushManager` is one that subscribes there.
 */

import type { CDPSession } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';
import { type PushService, startPushService } from '../../server/alerts/push-service.js';
import { until } from '../../until.js';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';

interface Context {
  scene: Scene;
  service: PushService;
  phone: Phone;
  /** The phone's own. Its subscription ends with it. */
  token: { id: string; secret: string };
}

const tests = suite<Context>('notifications on the phone');
const test = needsIn(tests, 'chromium');

interface Shown {
  title: string;
  body: string;
  tag: string;
  requireInteraction: boolean;
  actions: { action: string; title: string }[];
}

tests.before(async (context) => {
  context.service = await startPushService();
  context.scene = await startScene('Front door', undefined, {
    alerts: { pushAuthority: context.service.authority },
  });
});
tests.before.each(async (context) => {
  const { scene, service } = context;
  await scene.settle();
  scene.panel.powerOff();
  const channels = [{ id: 'phones', type: 'push', contact: 'mailto:owner@example.org' }];
  await scene.server.api('/alerts/channels', { method: 'PUT', body: JSON.stringify({ channels }) });
  service.pushed.length = 0;
  context.token = await scene.token('owner');
  context.phone = await pairedPhone(context);
});
tests.after.each(async ({ scene, phone, service, token }) => {
  await report(scene, false);
  await scene.server.api(`/tokens/${token.id}`, { method: 'DELETE' });
  assert.equal([phone.faults, service.faults], [[], []]);
  await phone.close();
});
tests.after(async ({ scene, service }) => {
  await scene.close();
  await service.close();
});

/** A phone whose browser subscribes at the push service of the test. */
async function pairedPhone({ scene, service, token }: Context): Promise<Phone> {
  const phone = await scene.phone({ token: '', permissions: ['notifications'] });
  await phone.context.exposeFunction('subscribeAtService', (key: string) => service.subscribe(key));
  await phone.context.addInitScript(`{
    const fake = (json, key) => {
      const bytes = Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
      return {
        options: { applicationServerKey: bytes.buffer },
        toJSON: () => json,
        unsubscribe: async () => localStorage.removeItem('subscription') ?? true,
      };
    };
    PushManager.prototype.getSubscription = async () => {
      const kept = JSON.parse(localStorage.getItem('subscription'));
      return kept && fake(kept.json, kept.key);
    };
    PushManager.prototype.subscribe = async ({ applicationServerKey: key }) => {
      const json = await subscribeAtService(key);
      localStorage.setItem('subscription', JSON.stringify({ json, key }));
      return fake(json, key);
    };
  }`);
  await phone.page.goto(`${scene.server.http}/#token=${token.secret}`);
  // The address differs only behind the #, so the page has not been loaded again, and its browser is as it was.
  await phone.page.reload();
  await phone.sees('Front door');
  await wakeNotifications(phone);
  return phone;
}

/** This browser drops what it is given to show before it has begun to show notifications. */
async function wakeNotifications(phone: Phone): Promise<void> {
  const show = 'navigator.serviceWorker.ready.then((worker) => worker.showNotification("awake"))';
  await until(async () => {
    await phone.page.evaluate(show);
    return (await shownOn(phone)).length > 0;
  });
  await phone.page.evaluate(
    'navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((all) => all.forEach((each) => each.close()))',
  );
  await until(async () => (await shownOn(phone)).length === 0);
}

/** The panel says by REST whether its siren rings. */
async function report({ server, device }: Scene, isRinging: boolean): Promise<void> {
  const data = { alarm_armed: isRinging, siren_ringing: isRinging, door_open: isRinging };
  await server.api(`/twins/${device.id}/documents/current`, {
    method: 'PUT',
    body: JSON.stringify({ data }),
  });
}

async function switchOn(phone: Phone): Promise<void> {
  await phone.page.getByRole('link', { name: 'Settings' }).tap();
  await phone.sees('Off: this phone hears of an alarm only while the app is open.');
  await phone.touch('Switch on');
  await phone.sees('On: this phone hears of an alarm also while the app is closed.');
}

/**
 * The browser's own push client gives the service worker a message, again until it is shown: this browser drops some of the
 * first notifications of a new window.
 */
async function deliver(
  phone: Phone,
  { origin }: URL,
  message: unknown,
  isShown: (shown: Shown[]) => boolean,
): Promise<Shown[]> {
  const session = await phone.context.newCDPSession(phone.page);
  const registrationId = await registrationOf(session, origin);
  const data = typeof message === 'string' ? message : JSON.stringify(message);
  let found: Shown[] = [];
  await until(async () => {
    await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
    for (let look = 0; look < LOOKS && !isShown(found); look += 1) found = await shownOn(phone);
    return isShown(found);
  });
  await session.detach();
  return found;
}

/** So often the test looks for a notification before it gives the message again. */
const LOOKS = 100;

async function registrationOf(session: CDPSession, origin: string): Promise<string> {
  const found: string[] = [];
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    for (const { registrationId, scopeURL } of registrations) {
      if (scopeURL.startsWith(origin)) found.push(registrationId);
    }
  });
  await session.send('ServiceWorker.enable');
  await until(() => found.length > 0);
  return found[0] ?? '';
}

const shownOn = ({ page }: Phone): Promise<Shown[]> =>
  page.evaluate(
    'navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((all) => all.map(({ title, body, tag, requireInteraction, actions }) => ({ title, body, tag, requireInteraction, actions: actions.map(({ action, title }) => ({ action, title })) })))',
  );

/** A touch on the notification, or on one of its buttons. */
async function touchNotification({ context }: Phone, action: string): Promise<void> {
  const [worker] = context.serviceWorkers();
  await worker?.evaluate(`registration.getNotifications().then(([notification]) =>
    dispatchEvent(new NotificationEvent('notificationclick', { notification, action: '${action}' })))`);
}

const addressOf = ({ server }: Scene): URL => new URL(server.http);

/** Raises an alarm, and gives what the push service got to the phone. */
async function alarm({ scene, service, phone }: Context): Promise<void> {
  await report(scene, true);
  await service.count(1);
  const message = service.pushed[0]?.message;
  await deliver(phone, addressOf(scene), message, (shown) => shown.some(({ actions }) => actions.length > 0));
}

test('a press subscribes the phone, a test reaches it, and a press ends it', async (context) => {
  const { scene, service, phone } = context;
  await switchOn(phone);
  await phone.touch('Send a test');
  await phone.sees('A message is on its way to this phone.');
  await service.count(1);
  const { message } = service.pushed[0] ?? {};
  const [test] = await deliver(phone, addressOf(scene), message, (shown) => shown.length === 1);
  assert.equal([test?.title, test?.actions], ['Test: Alarm: Test', []]);
  await phone.sees('phones: delivered');
  await phone.touch('Switch off');
  await phone.sees('Off: this phone hears');
  await report(scene, true);
  await phone.page.reload();
  await phone.sees('Off: this phone hears');
  assert.is(service.pushed.length, 1);
});

test('an alarm is shown by the service worker, once, and its end takes its place', async (context) => {
  const { scene, service, phone } = context;
  await switchOn(phone);
  await alarm(context);
  const [shown, ...more] = await shownOn(phone);
  assert.equal(more, []);
  assert.equal(
    [shown?.title, shown?.requireInteraction, shown?.actions.map(({ title }) => title)],
    ['Alarm: Front door', true, ['Disarm', 'Seen']],
  );
  await report(scene, false);
  await service.count(2);
  await deliver(phone, addressOf(scene), service.pushed[1]?.message, (shown) =>
    shown.some(({ title }) => title === 'Over: Alarm: Front door'),
  );
  assert.is((await shownOn(phone)).length, 1);
});

test('"Seen" acknowledges without the page, and the list of alerts names the phone', async (context) => {
  const { phone, scene } = context;
  await switchOn(phone);
  await alarm(context);
  await touchNotification(phone, 'seen');
  await until(async () => {
    const { alerts } = (await (await scene.server.api('/alerts')).json()) as { alerts: { state: string }[] };
    return alerts[0]?.state === 'acknowledged';
  });
  assert.equal(await shownOn(phone), []);
  await phone.touch('Only silence this phone');
  await phone.page.goto(`${scene.server.http}/#alerts`);
  await phone.sees('Acknowledged by owner');
});

test('"Disarm" opens the app, where it is held, and a tap alone disarms nothing', async (context) => {
  const { phone, scene } = context;
  const wanted = async () =>
    (await (await scene.server.api(`/twins/${scene.device.id}/documents/desired`)).json()) as {
      version: number;
      data: { alarm_armed: boolean };
    };
  const body = JSON.stringify({ data: { alarm_armed: true } });
  await scene.server.api(`/twins/${scene.device.id}/documents/desired`, { method: 'PUT', body });
  await switchOn(phone);
  await alarm(context);
  await touchNotification(phone, '');
  await until(() => phone.page.url().endsWith(`#panel=${scene.device.id}`));
  assert.is((await wanted()).data.alarm_armed, true);
  await deliver(phone, addressOf(scene), context.service.pushed[0]?.message, (shown) => shown.length === 1);
  await phone.touch('Only silence this phone');
  await touchNotification(phone, 'disarm');
  await phone.sees(/siren at .* ringing/);
  assert.is((await wanted()).data.alarm_armed, true);
  await phone.touch('Disarm');
  await until(async () => !(await wanted()).data.alarm_armed);
});

test('a touch finds the window of the app also where it was loaded past the worker', async (context) => {
  const { phone, scene } = context;
  await switchOn(phone);
  await alarm(context);
  const session = await phone.context.newCDPSession(phone.page);
  const loaded = phone.page.waitForEvent('load');
  await session.send('Page.reload', { ignoreCache: true });
  await loaded;
  assert.is(await phone.page.evaluate('navigator.serviceWorker.controller'), null);
  await phone.sees('Only silence this phone');
  await touchNotification(phone, '');
  await until(() => phone.page.url().endsWith(`#panel=${scene.device.id}`));
  await session.detach();
});

test('a message that cannot be read is shown too', async ({ phone, scene }) => {
  await phone.page.evaluate('navigator.serviceWorker.ready');
  await deliver(phone, addressOf(scene), 'no JSON', (shown) => shown.some(({ title }) => title === 'Alarm'));
});

test('a phone that is no longer paired keeps nothing for the worker, and gets no messages', async (context) => {
  const { phone, scene } = context;
  await switchOn(phone);
  await phone.touch('Forget the pairing');
  await phone.sees('Pair this phone');
  const kept = `new Promise((resolve) => {
    const opening = indexedDB.open('alarm-twin', 1);
    opening.onsuccess = () => {
      const { result } = opening;
      const count = result.transaction('worker').objectStore('worker').count();
      count.onsuccess = () => { result.close(); resolve(count.result); };
    };
  })`;
  await until(async () => (await phone.page.evaluate(kept)) === 0);
  await until(async () => (await phone.page.evaluate('localStorage.length')) === 0);
  await report(scene, true);
});

test('a panel is muted and heard again, and an alert is acknowledged on the page', async (context) => {
  const { phone, scene } = context;
  await report(scene, true);
  await phone.touch('Only silence this phone');
  await phone.page.getByRole('link', { name: 'Alerts' }).tap();
  await phone.sees('Not acknowledged.');
  await phone.touch('Acknowledge: Alarm: Front door');
  await phone.sees('Acknowledged by owner');
  await phone.touch('Mute for 8 h: Front door');
  await phone.sees('Muted until');
  await phone.touch('Unmute: Front door');
  await phone.page.getByRole('button', { name: 'Mute for 1 h: Front door' }).waitFor();
});

test('a panel is muted also when the answer to another press is late', async (context) => {
  const { phone, scene } = context;
  await report(scene, true);
  await phone.touch('Only silence this phone');
  await phone.page.getByRole('link', { name: 'Alerts' }).tap();
  await phone.sees('Not acknowledged.');
  let answer = (): void => undefined;
  await phone.page.route('**/acknowledge', async (route) => {
    await new Promise<void>((late) => {
      answer = late;
    });
    await route.continue();
  });
  const asked = phone.page.waitForRequest('**/acknowledge');
  await phone.touch('Acknowledge: Alarm: Front door');
  await asked;
  await phone.touch('Mute for 8 h: Front door');
  answer();
  await phone.sees('Acknowledged by owner');
  await phone.sees('Muted until');
});

tests.run();
