import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { CURRENT, DESIRED } from '../../shared/panel.js';
import type { Author } from '../access/author.js';
import { DeviceNotFound, type Devices } from '../devices/devices.js';
import type { Document } from '../twins/document.js';
import type { Change, Twins } from '../twins/twins.js';
import type { Alert, Condition } from './alert.js';
import type { Channel } from './channels/channel.js';
import { CLOCK, type Clock, DueTimes, wallTimeOf } from './clock.js';
import { acknowledged, happened, isOpen, type PanelName, reconciled } from './life.js';
import type { OUTBOX_LIMITS } from './outbox.js';
import { KnownPanel } from './panels.js';
import { conditionsOf } from './rules.js';
import { type AlertSettings, type ChannelSettings, rulesOf } from './settings.js';
import { type AlertStore, type Delivery, type Mute, PAST_ALERTS } from './store.js';
import { Teller } from './teller.js';

/** Times are in milliseconds. */
export const ALERT_LIMITS = {
  /** After a start, panels have so long to come back before they count as lost. */
  graceMs: 120_000,
  /** How often the server looks whether its storage takes writes. */
  healthMs: 5000,
};

export class AlertNotFound extends Error {
  override name = 'AlertNotFound';
  constructor(readonly alertId: string) {
    super('alert not found');
  }
}

interface Parts {
  readonly store: AlertStore;
  readonly settings: AlertSettings;
  readonly channelOf: (settings: ChannelSettings) => Channel;
  readonly twins: Pick<Twins, 'get' | 'watchAll'>;
  readonly devices: Pick<Devices, 'get' | 'watch'> & {
    readonly presence: Pick<Devices['presence'], 'isConnected' | 'watchAll'>;
  };
  readonly isHealthy: () => boolean;
  /** Where the app shows a panel. */
  readonly linkOf: (panelId: string | null) => string;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<typeof ALERT_LIMITS & typeof OUTBOX_LIMITS>;
}

const isMutable = (alert: Alert): boolean => isOpen(alert) && alert.tell_at !== null && !alert.is_life_safety;

/** It was never sent, or its end was not. */
const isHeldByMute = ({ state, told, tell_at }: Alert): boolean =>
  tell_at !== null && (state === 'resolved' || (state === 'raised' && told === 0));

const SERVER: PanelName = { id: null, name: '' };

/**
 * Watches all panels, raises alerts by the rules, and tells them by the channels. While there is no channel it does
 * nothing. An alert is on stable storage before it is sent; what a killed server has not told is sent after its start.
 */
export class Alerts {
  readonly #teller: Teller;
  readonly #parts: Parts;
  readonly #limits: typeof ALERT_LIMITS;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #muteEnds: DueTimes;
  readonly #panels = new Map<string, KnownPanel>();
  readonly #changed = new Map<string, Document | undefined>();
  readonly #unwatch: (() => void)[] = [];
  #settings: AlertSettings;
  #tellTimer: NodeJS.Timeout | undefined;
  #healthTimer: NodeJS.Timeout | undefined;
  #unhealthySince: number | undefined;
  /** The armed panels that have not come back since the start. */
  readonly #missing = new Set<string>();
  /** By elapsed time. */
  #startedAt = 0;
  /** Changes of alerts are made one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#limits = { ...ALERT_LIMITS, ...parts.limits };
    this.#clock = parts.clock ?? CLOCK;
    this.#now = this.#clock.now;
    this.#muteEnds = new DueTimes(this.#clock);
    this.#settings = parts.settings;
    this.#teller = new Teller({ ...parts, clock: this.#clock, onDue: () => this.#tellSoon() });
  }

  get settings(): AlertSettings {
    return this.#settings;
  }

  /** Newest first. */
  get list(): readonly Alert[] {
    return [...this.#parts.store.alerts.all].sort((one, other) => (one.raised_at < other.raised_at ? 1 : -1));
  }

  get mutes(): readonly Mute[] {
    return this.#parts.store.mutes.all.filter(({ id }) => this.#mutedUntil(id) !== undefined);
  }

  /** Newest first. */
  get deliveries(): readonly Delivery[] {
    return [...this.#parts.store.deliveries.all].reverse();
  }

  /** Begins to watch, and goes on where a server before it has ended. */
  begin(): void {
    this.#startedAt = this.#clock.elapsed();
    // From here on the mutes end by elapsed time.
    for (const { id } of this.#parts.store.mutes.all) this.#mutedUntil(id);
    this.configure(this.#settings);
    this.#teller.begin();
  }

  configure(settings: AlertSettings): void {
    this.#settings = settings;
    this.#teller.configure(settings);
    if (!this.#teller.isOn) this.#rest();
    else if (this.#unwatch.length === 0) this.#watch();
  }

  /** @throws AlertNotFound, StorageUnavailable */
  async acknowledge(id: string, by: string, author?: Author): Promise<Alert> {
    const alert = this.#parts.store.alerts.get(id);
    if (alert === undefined) throw new AlertNotFound(id);
    const next = acknowledged(alert, by, this.#now());
    if (next !== alert) await this.#parts.store.alerts.put(next, author);
    return next;
  }

  /** Alerts of the panel are not told until then. What was sent already is not repeated. @throws StorageUnavailable */
  async mute(mute: Mute, author?: Author): Promise<void> {
    await this.#parts.store.mutes.put(mute, author);
    this.#mutedUntil(mute.id);
    for (const alert of this.#ofPanel(mute.id).filter(isMutable)) {
      await this.#parts.store.alerts.put({ ...alert, tell_at: alert.told === 0 ? mute.until : null });
    }
    this.#tellSoon();
  }

  /** Tells what muted alerts are still open. @throws StorageUnavailable */
  async unmute(panelId: string, author?: Author): Promise<void> {
    const now = new Date(this.#now()).toISOString();
    await this.#parts.store.mutes.remove(panelId, author);
    for (const alert of this.#ofPanel(panelId).filter(isHeldByMute)) {
      await this.#parts.store.alerts.put({ ...alert, tell_at: now });
    }
    this.#tellSoon();
  }

  /** Sends a message by one channel. @param target the only one that gets it @throws ChannelNotFound */
  test(channelId: string, target?: string): Promise<void> {
    return this.#teller.test(channelId, target);
  }

  /** Resolves when all that was begun before is done, and the storage has taken a write. @throws StorageUnavailable */
  async prove(): Promise<void> {
    await this.#work;
    await this.#parts.store.proof.put({ id: 'heartbeat' });
  }

  /** Tells nothing more. Resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#rest();
    await this.#work;
    // What was under way may have set a timer again.
    this.#rest();
    await this.#teller.close();
  }

  #watch(): void {
    const { twins, devices, store } = this.#parts;
    this.#unwatch.push(
      twins.watchAll((change) => this.#hear(change)),
      devices.presence.watchAll(({ isConnected }, id) => this.#presence(id, isConnected)),
      devices.watch((id, why) => {
        if (why === 'deleted') this.#soon(() => this.#forget(id));
      }),
    );
    const armed = store.armed.all.map(({ id }) => id);
    for (const id of armed) if (!devices.presence.isConnected(id)) this.#missing.add(id);
    // Before the panels are read, which may take longer than the grace.
    this.#lookAtServer();
    for (const id of armed) this.#recall(id);
    this.#healthTimer = setInterval(() => this.#lookAtServer(), this.#limits.healthMs).unref();
    this.#tellSoon();
  }

  #rest(): void {
    for (const end of this.#unwatch.splice(0)) end();
    clearTimeout(this.#tellTimer);
    clearInterval(this.#healthTimer);
    for (const { timer } of this.#panels.values()) clearTimeout(timer);
    this.#panels.clear();
  }

  /** This runs for every write of every twin. Of the changes of one turn only the last one of each panel is read. */
  #hear({ twinId, name, document }: Change): void {
    if (name !== CURRENT) return;
    if (this.#changed.size === 0) setImmediate(() => this.#read());
    this.#changed.set(twinId, document);
  }

  #read(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const [id, document] of changed) this.#report(id, document);
  }

  #report(id: string, document: Document | undefined): void {
    // Its device may have been deleted, and is not remembered again.
    if (document === undefined && !this.#panels.has(id)) return;
    const panel = this.#panelOf(id);
    const isConnected = this.#parts.devices.presence.isConnected(id);
    const isTurned = panel.report(document, isConnected);
    // It may have gone before its report was read.
    if (!isConnected) panel.gone();
    if (isConnected && this.#missing.delete(id)) this.#lookAtServer();
    this.#soon(async () => {
      await this.#keepArmed(id, panel).catch((error) => this.#notKept(error));
      await this.#apply(id, panel);
      if (isTurned) await this.#tellTurn(id, panel);
    });
  }

  #presence(id: string, isConnected: boolean): void {
    const panel = this.#panels.get(id);
    if (isConnected || panel === undefined) return;
    panel.gone();
    this.#soon(() => this.#apply(id, panel));
  }

  /** A panel that was armed before the start. */
  #recall(id: string): void {
    this.#parts.twins.get(id, CURRENT, (_, document) => {
      if (document === undefined) return;
      const panel = this.#panelOf(id);
      const isConnected = this.#parts.devices.presence.isConnected(id);
      panel.report(document, isConnected);
      const { unreachable_after } = rulesOf(this.#settings, id);
      // It counts as lost when the grace is over.
      if (!isConnected) panel.gone(this.#startedAt + this.#limits.graceMs - unreachable_after * 1000);
      this.#soon(() => this.#apply(id, panel));
    });
  }

  #panelOf(id: string): KnownPanel {
    const known = this.#panels.get(id) ?? new KnownPanel(this.#clock);
    this.#panels.set(id, known);
    return known;
  }

  async #keepArmed(id: string, { current }: KnownPanel): Promise<void> {
    const { armed } = this.#parts.store;
    const isArmed = current?.alarm_armed === true;
    if (isArmed && armed.get(id) === undefined) await armed.put({ id });
    else if (!isArmed) await armed.remove(id);
  }

  /** Raises and resolves what the rules say of a panel now. */
  async #apply(id: string, panel: KnownPanel): Promise<void> {
    const now = this.#now();
    const rules = rulesOf(this.#settings, id);
    const { conditions, lookAgainAt } = conditionsOf(panel, now, {
      unreachableAfter: rules.unreachable_after * 1000,
      doorOpenAfter: rules.door_open_after === null ? undefined : rules.door_open_after * 1000,
    });
    clearTimeout(panel.timer);
    if (lookAgainAt !== undefined) {
      panel.timer = setTimeout(() => this.#soon(() => this.#apply(id, panel)), lookAgainAt - now).unref();
    }
    const wanted = conditions.filter(({ kind }) => rules.kinds.includes(kind));
    if (wanted.length === 0 && !this.#ofPanel(id).some(isOpen)) return;
    await this.#reconcile({ id, name: await this.#nameOf(id) }, wanted, now);
  }

  async #reconcile(panel: PanelName, conditions: readonly Condition[], now: number): Promise<void> {
    const { alerts } = this.#parts.store;
    const known = this.#ofPanel(panel.id);
    const changed = reconciled(known, conditions, panel, now, this.#mutedUntil(panel.id), randomUUID);
    for (const alert of changed) await alerts.keep(alert);
    if (changed.length === 0) return;
    alerts.forgetOldest((alert) => !isOpen(alert) && alert.tell_at === null, PAST_ALERTS);
    this.#tellSoon();
  }

  async #tellTurn(id: string, { current }: KnownPanel): Promise<void> {
    const kind = current?.alarm_armed === true ? 'armed' : 'disarmed';
    if (!rulesOf(this.#settings, id).kinds.includes(kind)) return;
    const now = this.#now();
    const condition = { kind, subject: await this.#writerOf(id), since: now } as const;
    const panel = { id, name: await this.#nameOf(id) };
    await this.#parts.store.alerts.keep(happened(condition, panel, now, this.#mutedUntil(id), randomUUID()));
    this.#tellSoon();
  }

  #writerOf(id: string): Promise<string> {
    return new Promise((resolve) => {
      this.#parts.twins.get(id, DESIRED, (_, document) => resolve(document?.updatedBy ?? ''));
    });
  }

  #lookAtServer(): void {
    const now = this.#now();
    const { kinds } = this.#settings.rules;
    this.#unhealthySince = this.#parts.isHealthy() ? undefined : (this.#unhealthySince ?? now);
    const conditions: Condition[] = [];
    if (this.#unhealthySince !== undefined) {
      conditions.push({ kind: 'storage', subject: '', since: this.#unhealthySince });
    }
    const since = wallTimeOf(this.#startedAt, this.#clock);
    if (now >= since + this.#limits.graceMs) this.#missing.clear();
    const count = this.#missing.size;
    const open = this.#ofPanel(null).find((alert) => alert.kind === 'restarted' && isOpen(alert));
    const subject = open?.subject ?? (count === 1 ? 'a panel was' : `${count} panels were`);
    if (count > 0) conditions.push({ kind: 'restarted', subject, since });
    const wanted = conditions.filter(({ kind }) => kinds.includes(kind));
    this.#soon(() => this.#reconcile(SERVER, wanted, now));
  }

  #tellSoon(): void {
    clearTimeout(this.#tellTimer);
    const { next } = this.#teller;
    if (next === undefined) return;
    const wait = Math.min(Math.max(0, next - this.#clock.elapsed()), LONGEST_TIMER_MS);
    this.#tellTimer = setTimeout(() => this.#soon(() => this.#tell()), wait).unref();
  }

  async #tell(): Promise<void> {
    try {
      await this.#teller.tell();
    } finally {
      this.#tellSoon();
    }
  }

  #ofPanel(id: string | null): Alert[] {
    return this.#parts.store.alerts.all.filter(({ panel_id }) => panel_id === id);
  }

  #mutedUntil(id: string | null): number | undefined {
    const mute = id === null ? undefined : this.#parts.store.mutes.get(id);
    if (mute === undefined) return undefined;
    const end = this.#muteEnds.of(mute.id, mute.until, Number.POSITIVE_INFINITY);
    return end > this.#clock.elapsed() ? wallTimeOf(end, this.#clock) : undefined;
  }

  async #nameOf(id: string): Promise<string> {
    try {
      return (await this.#parts.devices.get(id)).name;
    } catch (error) {
      if (error instanceof DeviceNotFound) return id;
      throw error;
    }
  }

  async #forget(id: string): Promise<void> {
    clearTimeout(this.#panels.get(id)?.timer);
    this.#panels.delete(id);
    this.#missing.delete(id);
    await this.#parts.store.armed.remove(id);
    await this.#parts.store.mutes.remove(id);
    for (const alert of this.#ofPanel(id)) await this.#parts.store.alerts.remove(alert.id);
  }

  /** A failure is logged, and ends nothing: memory has the change, and the disk gets it with the next one. */
  #soon(run: () => Promise<void>): void {
    this.#work = this.#work.then(run).catch((error) => this.#notKept(error));
  }

  #notKept(error: unknown): void {
    this.#parts.log.error({ err: error }, 'an alert could not be kept');
  }
}

// No timer takes more than 2^31 milliseconds.
const LONGEST_TIMER_MS = 60_000;
