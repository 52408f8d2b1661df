/** Keeps the app's files on the phone, so that the app opens without the server, and shows its notifications. */

import type { Ask } from '../../../shared/rest.js';
import { acknowledge, removeSubscription } from '../page/client/alerts-api.js';
import { Api } from '../page/client/api.js';
import { subscribe } from '../page/client/subscribe.js';
import type { WorkerMessage } from '../page/client/worker-message.js';
import { recallRecord, type WorkerRecord } from '../page/client/worker-record.js';
import { mayAct } from '../page/state/alerts.js';
import { speak } from '../page/state/say.js';
import { type NoticeData, noticeOf, unheard } from './notice.js';
import { speechIn } from './speech.js';

declare const self: ServiceWorkerGlobalScope;
/** The paths of the app's files, the folder of those whose names change with their content, and a digest of all of them. */
declare const FILES: readonly string[];
declare const HASHED: string;
declare const DIGEST: string;

const CACHE = `alarm-twin ${DIGEST}`;

self.addEventListener('install', (event) => {
  event.waitUntil(load().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOlder().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { method, url, cache } = event.request;
  const { origin, pathname } = new URL(url);
  const isFile = FILES.includes(pathname) || pathname.startsWith(HASHED);
  if (method !== 'GET' || origin !== self.location.origin || !isFile) return;
  // The settings load the page anew, in another language.
  if (cache === 'reload') return;
  event.respondWith(kept(pathname, event.request));
});

self.addEventListener('push', (event) => event.waitUntil(tell(event.data?.text() ?? '')));

self.addEventListener('notificationclick', (event) => event.waitUntil(heed(event)));

self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(subscribeAnew()));

async function load(): Promise<void> {
  const cache = await caches.open(CACHE);
  // A page that was just loaded brought the hashed files already. The others may have changed at their address.
  const request = (path: string) =>
    new Request(path, { cache: path.startsWith(HASHED) ? 'default' : 'no-cache' });
  await cache.addAll(FILES.map(request));
}

/** A page of the version before may be open, and load more of its parts. */
async function forgetOlder(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
}

async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? (await caches.match(path)) ?? fetch(request);
}

async function tell(text: string): Promise<void> {
  const record = await recallRecord();
  await learnLanguage();
  const { title, options } = noticeOf(text, mayAct(record?.role));
  await self.registration.showNotification(title, options);
  if (options.data.kind !== 'triggered') return;
  // The open app has shown this alarm by itself.
  for (const shown of await self.registration.getNotifications({ tag: options.data.panelId ?? '' }))
    shown.close();
}

/**
 * "Seen" is acknowledged from here, with the token that the page left. "Disarm" is done by the app, in its window: a phone
 * must be unlocked for that, so a thief who finds it locked cannot disarm, and the person sees what becomes of it.
 */
async function heed({ notification, action }: NotificationEvent): Promise<void> {
  notification.close();
  const data = notification.data as NoticeData;
  if (action === 'seen' && data.alertId !== undefined) return seen(data.alertId, data);
  await show({ kind: action === 'disarm' ? 'disarm' : 'open', panelId: data.panelId });
}

async function seen(alertId: string, data: NoticeData): Promise<void> {
  const record = await recallRecord();
  try {
    if (record === undefined) throw new Error('this phone is not subscribed');
    await acknowledge(askOf(record), alertId);
  } catch {
    await learnLanguage();
    const { title, options } = unheard(data);
    await self.registration.showNotification(title, options);
  }
}

/** The kept page is in the language that the person uses, and has all texts. */
async function learnLanguage(): Promise<void> {
  const page = await kept('/', new Request('/'));
  speak(speechIn(await page.text()), navigator.languages);
}

/** Shows the window of the app that is open, or opens one, and says what the person wants there. */
async function show(message: WorkerMessage): Promise<void> {
  // A window that was loaded before this worker began is the app's, too.
  const [open] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (open !== undefined) {
    // The message counts, also where the browser does not let the window come to the front.
    await open.focus().catch(() => undefined);
    return open.postMessage(message);
  }
  const address = message.panelId === null ? '/#alerts' : `/#panel=${message.panelId}`;
  (await self.clients.openWindow(address))?.postMessage(message);
}

/** The push service has ended the subscription by itself. */
async function subscribeAnew(): Promise<void> {
  const record = await recallRecord();
  if (record === undefined) return;
  const { base, token, role, subscriptionId } = record;
  await subscribe(self.registration.pushManager, askOf(record), { base, token, role });
  if ((await recallRecord())?.subscriptionId === subscriptionId) return;
  await removeSubscription(askOf(record), subscriptionId).catch(() => undefined);
}

const askOf = ({ base, token }: WorkerRecord): Ask => new Api(base, token, () => undefined).ask;
