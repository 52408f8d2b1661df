/** Switches Web Push for this phone on and off. Nothing is asked of the person before a press. */

import type { Ask } from '../../../../shared/rest.js';
import type { Role } from '../state/app.js';
import { type PushKind, pushKindOf } from '../state/push.js';
import { pushKeyOf, removeSubscription, testSubscription } from './alerts-api.js';
import { Api } from './api.js';
import { subscribe } from './subscribe.js';
import { forget, recallRecord } from './worker-record.js';

const hasPush = (): boolean =>
  'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

const isApple = (): boolean =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) ||
  // An iPad says that it is a Mac.
  (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);

/** What is so now. @throws Failed */
export async function pushKind(ask: Ask): Promise<PushKind> {
  const isPossible = isSecureContext && hasPush();
  return pushKindOf({
    isSecure: isSecureContext,
    hasPush: hasPush(),
    isApple: isApple(),
    isOnHomeScreen: matchMedia('(display-mode: standalone)').matches,
    permission: isPossible ? Notification.permission : 'default',
    isSubscribed: isPossible && (await isSubscribed()),
    isOffered: !isPossible || (await pushKeyOf(ask)) !== null,
  });
}

async function isSubscribed(): Promise<boolean> {
  if ((await recallRecord()) === undefined) return false;
  const registration = await navigator.serviceWorker.getRegistration();
  return ((await registration?.pushManager.getSubscription()) ?? null) !== null;
}

/** Asks the person, and subscribes. Browsers allow that only at a press. @throws Failed, and what the browser throws */
export async function switchOn(api: Api, role: Role | undefined): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') return;
  const { pushManager } = await navigator.serviceWorker.ready;
  await subscribe(pushManager, api.ask, { base: api.base, token: api.token, role });
}

/** Ends the subscription, here and at the server. When the server is away, its push service tells it later. */
export async function switchOff(): Promise<void> {
  const record = await recallRecord();
  if (record === undefined) return;
  await forget();
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
  const { ask } = new Api(record.base, record.token, () => undefined);
  await removeSubscription(ask, record.subscriptionId).catch(() => undefined);
}

/** The server sends a message to this phone. @throws Failed */
export async function testPush(ask: Ask): Promise<void> {
  const record = await recallRecord();
  if (record !== undefined) await testSubscription(ask, record.subscriptionId);
}

/** A phone that was subscribed and is paired says so to the server: it may have a new token, or the server an old backup. */
export async function renew(api: Api, role: Role | undefined): Promise<void> {
  const record = await recallRecord();
  if (record === undefined || !hasPush() || Notification.permission !== 'granted') return;
  const { pushManager } = await navigator.serviceWorker.ready;
  await subscribe(pushManager, api.ask, { base: api.base, token: api.token, role: role ?? record.role });
}
