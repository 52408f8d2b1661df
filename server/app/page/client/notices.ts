/** Notifications, which the service worker shows also while the app is in the background. */

import { doorText } from '../state/headline.js';
import type { Panel } from '../state/panel.js';

/** What the person decided; `unavailable` where the browser, or the way to the server, has none. */
export type Permission = NotificationPermission | 'unavailable';

const isAvailable = (): boolean =>
  'Notification' in window && 'serviceWorker' in navigator && isSecureContext;

export const permission = (): Permission => (isAvailable() ? Notification.permission : 'unavailable');

/** Asks the person, in answer to a touch. */
export const askPermission = async (): Promise<Permission> =>
  isAvailable() ? Notification.requestPermission() : 'unavailable';

export async function notify(panel: Panel): Promise<void> {
  if (permission() !== 'granted') return;
  const registration = await navigator.serviceWorker.ready;
  await registration.showNotification(`Alarm: ${panel.name}`, {
    body: `The siren is ringing. ${doorText(panel)}.`,
    tag: panel.id,
    icon: '/icon-192.png',
    requireInteraction: true,
    data: panel.id,
  });
}

/** The panel rings no more. */
export async function withdraw(id: string): Promise<void> {
  if (permission() !== 'granted') return;
  const registration = await navigator.serviceWorker.ready;
  for (const notification of await registration.getNotifications({ tag: id })) notification.close();
}
