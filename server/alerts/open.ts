/** Puts the parts of the alerts together. */

import type { Logger } from 'pino';
import type { Devices } from '../devices/devices.js';
import type { Storage } from '../storage/storage.js';
import type { Twins } from '../twins/twins.js';
import { type ALERT_LIMITS, Alerts } from './alerts.js';
import type { Channel } from './channels/channel.js';
import { ntfy } from './channels/ntfy.js';
import { webhook } from './channels/webhook.js';
import type { AlertSettings, ChannelSettings } from './settings.js';
import { openAlertStore } from './store.js';

interface Parts {
  readonly storage: Storage;
  readonly settings: AlertSettings;
  readonly twins: Twins;
  readonly devices: Devices;
  /** Where the app shows a panel. */
  readonly linkOf: (panelId: string | null) => string;
  readonly log: Logger;
  readonly limits?: Partial<typeof ALERT_LIMITS> | undefined;
}

/** They begin to watch at `begin`. @throws StorageUnavailable */
export async function openAlerts({ storage, limits = {}, ...parts }: Parts): Promise<Alerts> {
  return new Alerts({
    ...parts,
    limits,
    store: await openAlertStore(storage),
    isHealthy: () => storage.healthy,
    channelOf,
  });
}

function channelOf(settings: ChannelSettings): Channel {
  switch (settings.type) {
    case 'webhook':
      return webhook(settings);
    case 'ntfy':
      return ntfy(settings);
  }
}
