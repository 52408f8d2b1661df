/** Puts the parts of the alerts together. */

import type { Logger } from 'pino';
import type { Tokens } from '../access/tokens.js';
import type { Devices } from '../devices/devices.js';
import type { Leadership } from '../leadership.js';
import type { Storage } from '../storage/storage.js';
import type { Twins } from '../twins/twins.js';
import { Alerts } from './alerts.js';
import { email } from './channels/email.js';
import { ntfy } from './channels/ntfy.js';
import { push } from './channels/push.js';
import { webhook } from './channels/webhook.js';
import { CLOCK, type Clock } from './clock.js';
import type { OUTBOX_LIMITS } from './outbox.js';
import type { SettingsPlace } from './settings.js';
import { openAlertStore } from './store.js';
import { Subscriptions } from './subscriptions.js';
import type { ALERT_LIMITS } from './term.js';

interface Parts {
  readonly storage: Storage;
  readonly settings: SettingsPlace;
  readonly leadership: Leadership;
  readonly twins: Twins;
  readonly devices: Devices;
  /** A phone's subscription ends with its token. */
  readonly tokens: Pick<Tokens, 'present' | 'watch'>;
  /** Where the app shows a panel. */
  readonly linkOf: (panelId: string | null) => string;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<AlertLimits> | undefined;
}

/** What only tests change. */
export type AlertLimits = typeof ALERT_LIMITS &
  typeof OUTBOX_LIMITS & {
    /** The authority of a push service on the loopback. */
    readonly pushAuthority: string;
  };

/** They begin to watch at `begin`. Their clock is that of the storage. @throws StorageUnavailable */
export async function openAlerts({
  storage,
  tokens,
  clock = { ...CLOCK, now: () => storage.now() },
  limits: { pushAuthority: ca, ...limits } = {},
  ...parts
}: Parts): Promise<{ alerts: Alerts; subscriptions: Subscriptions }> {
  const allowPrivate = ca !== undefined;
  const subscriptions = await Subscriptions.open(storage, tokens, parts.log, allowPrivate);
  const alerts = new Alerts({
    ...parts,
    clock,
    limits,
    store: await openAlertStore(storage, parts.log),
    isHealthy: () => storage.healthy,
    channelOf(settings) {
      switch (settings.type) {
        case 'webhook':
          return webhook(settings, clock.now);
        case 'ntfy':
          return ntfy(settings);
        case 'email':
          return email(settings);
        case 'push':
          return push(settings, subscriptions, {
            allowPrivate,
            now: clock.now,
            ...(ca !== undefined && { ca }),
          });
      }
    },
  });
  return { alerts, subscriptions };
}
