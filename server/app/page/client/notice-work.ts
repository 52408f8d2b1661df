/** The work behind alerts and notifications: reads what the open screen shows, and does what a person presses there. */

import { type Notices, withAlert } from '../state/alerts.js';
import type { AppEvent } from '../state/app.js';
import { say } from '../state/say.js';
import type { Store } from '../state/store.js';
import { acknowledge, alertsOf, deliveriesOf, mute, offerPush, unmute } from './alerts-api.js';
import { type Api, Failed } from './api.js';
import { inOrder } from './in-order.js';
import { askPermission } from './notices.js';
import { pushKind, renew, switchOff, switchOn, testPush } from './push.js';

interface Parts {
  readonly store: Store;
  readonly api: Api;
  readonly tell: (event: AppEvent) => void;
  readonly fail: (error: unknown) => void;
}

export class NoticeWork {
  readonly #parts: Parts;
  #isRenewed = false;
  readonly #afterOthers = inOrder();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Reads what the open screen shows. It is read again with the list of panels, so a failure is of no account. */
  async read(): Promise<void> {
    const { api, store } = this.#parts;
    const { screen, role } = store.state;
    try {
      if (!this.#isRenewed) {
        this.#isRenewed = true;
        await renew(api, role);
      }
      if (screen === 'alerts') this.#change(await alertsOf(api.ask));
      if (screen !== 'phone') return;
      this.#change({ push: await pushKind(api.ask) });
      if (role === 'owner') this.#change({ deliveries: await deliveriesOf(api.ask) });
    } catch {
      // The link to the server says that it is lost, and the settings of this phone stay as they were.
    }
  }

  async acknowledge(id: string): Promise<void> {
    const { api, store } = this.#parts;
    await this.#press(async () => {
      const alert = await acknowledge(api.ask, id);
      this.#change({ alerts: withAlert(store.state.notices.alerts, alert) });
    });
  }

  /** @param forMs how long, in milliseconds; 0 ends it */
  async mute(panelId: string, forMs: number): Promise<void> {
    const { api, store } = this.#parts;
    const { now, ahead } = store.state;
    await this.#press(async () => {
      if (forMs === 0) await unmute(api.ask, panelId);
      else await mute(api.ask, panelId, now + ahead + forMs);
      this.#change(await alertsOf(api.ask));
    });
  }

  async switchOn(): Promise<void> {
    const { api, store } = this.#parts;
    await this.#press(() => switchOn(api, store.state.role));
  }

  /** Notifications of the open app, without Web Push. */
  async allow(): Promise<void> {
    await this.#press(askPermission);
  }

  async switchOff(): Promise<void> {
    await this.#press(switchOff);
  }

  async test(): Promise<void> {
    await this.#press(() => testPush(this.#parts.api.ask), say('push.on-its-way'));
  }

  /** @param contact `mailto:…`, by which a push service reaches the owner */
  async offer(contact: string): Promise<void> {
    await this.#press(() => offerPush(this.#parts.api.ask, contact));
  }

  /** Does what a person pressed, when what they pressed before is done. */
  #press(act: () => Promise<unknown>, outcome = ''): Promise<void> {
    return this.#afterOthers(() => this.#do(act, outcome));
  }

  async #do(act: () => Promise<unknown>, outcome: string): Promise<void> {
    this.#change({ isBusy: true, outcome: '' });
    try {
      await act();
      this.#change({ outcome });
    } catch (error) {
      if (error instanceof Failed) this.#parts.fail(error);
      else this.#change({ outcome: say('push.browser-fault', { reason: (error as Error).message }) });
    }
    await this.read();
    this.#change({ isBusy: false });
  }

  #change(change: Partial<Notices>): void {
    this.#parts.tell({ type: 'notices', change });
  }
}
