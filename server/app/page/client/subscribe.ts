/** Subscribes this browser to Web Push. The page does it at a press, the service worker when the push service asks for it. */

import type { Ask } from '../../../../shared/rest.js';
import { addSubscription, pushKeyOf } from './alerts-api.js';
import { remember, type WorkerRecord } from './worker-record.js';

/**
 * Subscribes, or goes on with the subscription that there is, and tells the server.
 * @returns whether the server has a channel for phones
 * @throws DOMException of the browser, and what `ask` throws
 */
export async function subscribe(
  manager: PushManager,
  ask: Ask,
  record: Omit<WorkerRecord, 'subscriptionId'>,
): Promise<boolean> {
  const key = await pushKeyOf(ask);
  if (key === null) return false;
  const subscription = await subscriptionWith(manager, key);
  await remember({ ...record, subscriptionId: await addSubscription(ask, subscription, key) });
  return true;
}

/** A subscription keeps the key that it was made with. For another key of the server it is made anew. */
async function subscriptionWith(manager: PushManager, key: string): Promise<PushSubscription> {
  const known = await manager.getSubscription();
  if (known !== null && keyOf(known) === key) return known;
  await known?.unsubscribe();
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function keyOf({ options: { applicationServerKey } }: PushSubscription): string {
  const bytes = new Uint8Array(applicationServerKey ?? new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
