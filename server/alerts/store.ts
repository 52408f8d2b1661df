/** What is kept of alerts on stable storage. Each kind of thing is one file; all of it is in memory of each server. */

import type { Logger } from 'pino';
import type { Storage } from '../storage/storage.js';
import type { Alert } from './alert.js';
import type { Message } from './channels/channel.js';
import { Shelf } from './shelf.js';

/** A message on its way to one target. Times are RFC 3339. */
export interface Delivery {
  /** `<alert>.<telling>.<channel>.<target>`: the same message is never made twice. */
  readonly id: string;
  readonly channel: string;
  readonly target: string;
  readonly message: Message;
  readonly status: 'waiting' | 'delivered' | 'failed';
  readonly attempts: number;
  /** When it is tried next, or was tried last. */
  readonly at: string;
  /** Why the last attempt failed. */
  readonly reason: string | null;
  /** It waits, and does not get through for now. */
  readonly is_held_up?: boolean;
}

/** Until when a panel's alerts are not told. */
export interface Mute {
  /** The panel's id. */
  readonly id: string;
  /** RFC 3339. */
  readonly until: string;
  /** The description of the token, or its role. */
  readonly by: string;
}

/** A panel that was armed when it reported last. */
interface ArmedPanel {
  readonly id: string;
}

/** How many past alerts and finished deliveries are kept. */
export const PAST_ALERTS = 1000;
export const PAST_DELIVERIES = 200;

export interface AlertStore {
  readonly alerts: Shelf<Alert>;
  readonly deliveries: Shelf<Delivery>;
  readonly mutes: Shelf<Mute>;
  readonly armed: Shelf<ArmedPanel>;
  /** Written to find out whether the storage takes writes. */
  readonly proof: Shelf<{ readonly id: string }>;
}

/** @throws StorageUnavailable */
export async function openAlertStore(storage: Storage, log: Logger): Promise<AlertStore> {
  return {
    alerts: await Shelf.open<Alert>(storage, 'alerts/alerts', log),
    deliveries: await Shelf.open<Delivery>(storage, 'alerts/deliveries', log),
    mutes: await Shelf.open<Mute>(storage, 'alerts/mutes', log),
    armed: await Shelf.open<ArmedPanel>(storage, 'alerts/armed', log),
    proof: await Shelf.open(storage, 'alerts/proof', log),
  };
}
