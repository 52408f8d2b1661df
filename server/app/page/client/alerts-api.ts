/** The server's REST interface for alerts and Web Push, as far as the app and its service worker need it. */

import { type Ask, pathOf } from '../../../../shared/rest.js';
import type { Alert, Delivery, Mute } from '../state/alerts.js';

/** How many alerts the list shows. */
const SHOWN_ALERTS = 100;

export async function alertsOf(ask: Ask): Promise<{ alerts: readonly Alert[]; mutes: readonly Mute[] }> {
  return (await ask('GET', `${pathOf('alerts')}?limit=${SHOWN_ALERTS}`)) as {
    alerts: Alert[];
    mutes: Mute[];
  };
}

/** The last deliveries, newest first. Only an owner of all panels may see them. */
export async function deliveriesOf(ask: Ask): Promise<readonly Delivery[]> {
  return ((await ask('GET', pathOf('alerts', 'deliveries'))) as { deliveries: Delivery[] }).deliveries;
}

export const acknowledge = async (ask: Ask, id: string): Promise<Alert> =>
  (await ask('POST', pathOf('alerts', id, 'acknowledge'))) as Alert;

/** @param until milliseconds since 1970 */
export const mute = (ask: Ask, panelId: string, until: number): Promise<unknown> =>
  ask('PUT', pathOf('alerts', 'mutes', panelId), { until: new Date(until).toISOString() });

export const unmute = (ask: Ask, panelId: string): Promise<unknown> =>
  ask('DELETE', pathOf('alerts', 'mutes', panelId));

/** The key that a subscription is made with; null while the server has no channel for phones. */
export async function pushKeyOf(ask: Ask): Promise<string | null> {
  const answer = await ask('GET', pathOf('alerts', 'push'));
  return (answer as { application_server_key: string | null }).application_server_key;
}

/** Gives the server a channel for phones, besides those that it has. */
export async function offerPush(ask: Ask, contact: string): Promise<void> {
  const path = pathOf('alerts', 'channels');
  const settings = (await ask('GET', path)) as { channels: object[] };
  await ask('PUT', path, {
    ...settings,
    channels: [...settings.channels, { id: 'phones', type: 'push', contact }],
  });
}

/** Tells the server of this phone. @returns the subscription's id there */
export async function addSubscription(
  ask: Ask,
  subscription: PushSubscription,
  key: string,
): Promise<string> {
  const { endpoint, keys } = subscription.toJSON();
  const body = { endpoint, keys, application_server_key: key };
  return ((await ask('POST', pathOf('alerts', 'subscriptions'), body)) as { id: string }).id;
}

export const removeSubscription = (ask: Ask, id: string): Promise<unknown> =>
  ask('DELETE', pathOf('alerts', 'subscriptions', id));

export const testSubscription = (ask: Ask, id: string): Promise<unknown> =>
  ask('POST', pathOf('alerts', 'subscriptions', id, 'test'));
