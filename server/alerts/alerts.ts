import type { Logger } from 'pino';
import type { Author } from '../access/author.js';
import { type Leadership, whileLeading } from '../leadership.js';
import type { Alert } from './alert.js';
import type { Channel } from './channels/channel.js';
import type { Clock } from './clock.js';
import { acknowledged, isOpen } from './life.js';
import { Mutes } from './mutes.js';
import { type OUTBOX_LIMITS, timeOf } from './outbox.js';
import type { AlertSettings, ChannelSettings, SettingsPlace } from './settings.js';
import type { AlertStore, Delivery, Mute } from './store.js';
import { Teller } from './teller.js';
import { ALERT_LIMITS, Term, type TermParts } from './term.js';

export class AlertNotFound extends Error {
  override name = 'AlertNotFound';
  constructor(readonly alertId: string) {
    super('alert not found');
  }
}

interface Parts extends Pick<TermParts, 'twins' | 'devices' | 'isHealthy'> {
  readonly store: AlertStore;
  readonly settings: SettingsPlace;
  readonly leadership: Leadership;
  readonly channelOf: (settings: ChannelSettings) => Channel;
  /** Where the app shows a panel. */
  readonly linkOf: (panelId: string | null) => string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits?: Partial<typeof ALERT_LIMITS & typeof OUTBOX_LIMITS>;
}

const isMutable = (alert: Alert): boolean => isOpen(alert) && alert.tell_at !== null && !alert.is_life_safety;

/** It was never sent, or its end was not. */
const isHeldByMute = ({ state, told, tell_at }: Alert): boolean =>
  tell_at !== null && (state === 'resolved' || (state === 'raised' && told === 0));

/**
 * The alerts of all panels. Every server shows them and takes what people decide about them. The one that leads raises and
 * tells them, and learns from the storage what was decided at another one.
 */
export class Alerts {
  readonly #parts: Parts;
  readonly #mutes: Mutes;
  #term: Term | undefined;
  readonly #ended = new Set<Promise<void>>();
  #follow = (): void => undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#mutes = new Mutes(parts.store.mutes, parts.clock);
    parts.settings.watch(() => this.#configure());
  }

  get settings(): AlertSettings {
    return this.#parts.settings.present;
  }

  /** Newest first, as they are in memory. */
  get list(): readonly Alert[] {
    return newestFirst(this.#parts.store.alerts.all, ({ raised_at }) => raised_at);
  }

  /** Newest first, as they are in memory. */
  get deliveries(): readonly Delivery[] {
    return newestFirst(this.#parts.store.deliveries.all, timeOf);
  }

  get mutes(): readonly Mute[] {
    return this.#mutes.all;
  }

  /** Milliseconds since 1970, by the clock of the alerts. */
  now(): number {
    return this.#parts.clock.now();
  }

  /** From then on memory has what other servers have changed before. @throws StorageUnavailable */
  async read(): Promise<void> {
    const { settings, store } = this.#parts;
    await Promise.all([settings, store.alerts, store.deliveries, store.mutes].map((each) => each.read()));
  }

  /** Begins to watch as soon as this server leads. */
  begin(): void {
    this.#follow = whileLeading(this.#parts.leadership, () => this.#lead());
  }

  /** Changes the settings as they are now. @throws StorageUnavailable, and what `change` throws */
  async configure(change: (before: AlertSettings) => AlertSettings): Promise<AlertSettings> {
    const settings = await this.#parts.settings.change(change);
    this.#configure();
    return settings;
  }

  /** @throws AlertNotFound, StorageUnavailable */
  async acknowledge(id: string, by: string, author?: Author): Promise<Alert> {
    const become = (latest: Alert | undefined): Alert => {
      if (latest === undefined) throw new AlertNotFound(id);
      return acknowledged(latest, by, this.now());
    };
    return (await this.#parts.store.alerts.change(id, become, author)) as Alert;
  }

  /** Alerts of the panel are not told until then. What was sent already is not repeated. @throws StorageUnavailable */
  async mute(mute: Mute, author?: Author): Promise<void> {
    await this.#mutes.put(mute, author);
    await this.#changeOf(mute.id, (alert) =>
      isMutable(alert) ? { ...alert, tell_at: alert.told === 0 ? mute.until : null } : alert,
    );
  }

  /** Tells what muted alerts are still open. @throws StorageUnavailable */
  async unmute(panelId: string, author?: Author): Promise<void> {
    await this.#mutes.remove(panelId, author);
    const now = new Date(this.now()).toISOString();
    await this.#changeOf(panelId, (alert) => (isHeldByMute(alert) ? { ...alert, tell_at: now } : alert));
  }

  /** Sends a message by one channel. @param target the only one that gets it @throws ChannelNotFound, StorageUnavailable */
  test(channelId: string, target?: string): Promise<void> {
    return (this.#term?.teller ?? this.#silentTeller()).test(channelId, target);
  }

  /** Resolves when all that was begun before is done, and the storage has taken a write. @throws StorageUnavailable */
  async prove(): Promise<void> {
    await this.#term?.worked();
    await this.#parts.store.proof.put({ id: 'heartbeat' });
  }

  /** Tells nothing more. Resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#follow();
    await Promise.all(this.#ended);
  }

  #lead(): () => void {
    const { limits } = this.#parts;
    const term = new Term(
      {
        ...this.#parts,
        mutes: this.#mutes,
        limits: { ...ALERT_LIMITS, ...limits },
        tellerFor: (onDue) => new Teller({ ...this.#parts, onDue }),
      },
      this.settings,
    );
    this.#term = term;
    term.begin();
    return () => {
      this.#term = undefined;
      term.end();
      const ended = term.settled().finally(() => this.#ended.delete(ended));
      this.#ended.add(ended);
    };
  }

  #configure(): void {
    this.#term?.configure(this.settings);
  }

  /** Makes messages for the server that leads. */
  #silentTeller(): Teller {
    const teller = new Teller({ ...this.#parts, onDue: () => undefined });
    teller.configure(this.settings);
    return teller;
  }

  /** @throws StorageUnavailable */
  async #changeOf(panelId: string, become: (alert: Alert) => Alert): Promise<void> {
    const { alerts } = this.#parts.store;
    for (const { id, panel_id } of await alerts.read()) {
      if (panel_id === panelId) await alerts.change(id, (latest) => latest && become(latest));
    }
    this.#term?.tellSoon();
  }
}

const newestFirst = <Thing>(things: readonly Thing[], timeOf: (thing: Thing) => string): Thing[] =>
  [...things]
    .reverse()
    .sort((one, other) => (timeOf(one) < timeOf(other) ? 1 : timeOf(one) > timeOf(other) ? -1 : 0));
