/** Notifications. The service worker shows them also while the app is in the background. */

import { rangText } from '../state/contacts.js';
import type { Panel } from '../state/panel.js';
import { say } from '../state/say.js';
import { inOrder } from './in-order.js';

/** The person's decision; `unavailable` where the browser has no notifications for this page. */
export type Permission = NotificationPermission | 'unavailable';

const isAvailable = (): boolean =>
  'Notification' in window && 'serviceWorker' in navigator && isSecureContext;

export const permission = (): Permission => (isAvailable() ? Notification.permission : 'unavailable');

/** Asks the person. Browsers allow that only after a touch. */
export const askPermission = async (): Promise<Permission> =>
  isAvailable() ? Notification.requestPermission() : 'unavailable';

/** A notification could stay, or be closed with an earlier one, without that. */
const afterOthers = inOrder();

export const notify = (panel: Panel): Promise<void> => afterOthers(() => show(panel));

/** Takes the notification back when the panel has stopped ringing. */
export const withdraw = (id: string): Promise<void> => afterOthers(() => close(id));

async function show(panel: Panel): Promise<void> {
  if (permission() !== 'granted') return;
  const registration = await navigator.serviceWorker.ready;
  const shown = await registration.getNotifications();
  // The push service was faster.
  if (shown.some(({ data }) => data?.kind === 'triggered' && data.panelId === panel.id)) return;
  await registration.showNotification(say('alarm.notice', { panel: panel.name }), {
    body: say('alarm.notice.text', { what: rangText(panel) }),
    tag: panel.id,
    icon: '/icon-192.png',
    requireInteraction: true,
    data: { panelId: panel.id },
  });
}

async function close(id: string): Promise<void> {
  if (permission() !== 'granted') return;
  const registration = await navigator.serviceWorker.ready;
  for (const notification of await registration.getNotifications({ tag: id })) notification.close();
}
