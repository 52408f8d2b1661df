import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { CURRENT, DESIRED } from '../../shared/panel.js';
import { DeviceNotFound, type Devices } from '../devices/devices.js';
import { FOLDERS } from '../devices/leftovers.js';
import type { Leadership } from '../leadership.js';
import type { Document } from '../twins/document.js';
import type { Change, Twins } from '../twins/twins.js';
import { type Alert, type Condition, keyOf } from './alert.js';
import { type Clock, momentOf, wallTimeOf } from './clock.js';
import { happened, isOpen, type PanelName, reconciled, resolved } from './life.js';
import type { Mutes } from './mutes.js';
import { KnownPanel } from './panels.js';
import { conditionsOf } from './rules.js';
import { type AlertSettings, rulesOf } from './settings.js';
import { type AlertStore, PAST_ALERTS } from './store.js';
import type { Teller } from './teller.js';

/** Times are in milliseconds. */
export const ALERT_LIMITS = {
  /** After a start, panels have so long to come back before they count as lost. */
  graceMs: 120_000,
  /** How often the server looks whether its storage takes writes. */
  healthMs: 5000,
  /** The pause before another look, when what is stored could not be read, or it is in doubt whether this server leads. */
  againMs: 250,
};

export interface TermParts {
  readonly store: AlertStore;
  readonly mutes: Mutes;
  readonly twins: Pick<Twins, 'get' | 'watchAll' | 'idsIn'>;
  readonly devices: Pick<Devices, 'get' | 'watch'> & {
    readonly presence: Pick<Devices['presence'], 'isConnected' | 'watchAll'>;
  };
  readonly isHealthy: () => boolean;
  readonly leadership: Pick<Leadership, 'isShared' | 'leads'>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits: typeof ALERT_LIMITS;
  /** Makes the teller of this term. @param onDue an alert is due earlier than before */
  readonly tellerFor: (onDue: () => void) => Teller;
}

const SERVER: PanelName = { id: null, name: '' };

/**
 * The time from when a server begins to lead until it no longer does. It watches all panels, raises alerts by the rules, and
 * tells them. It begins as after a restart, with what is stored. While there is no channel it does nothing. An alert is
 * on stable storage before it is sent.
 */
export class Term {
  readonly teller: Teller;
  readonly #parts: TermParts;
  readonly #now: () => number;
  readonly #panels = new Map<string, KnownPanel>();
  readonly #changed = new Map<string, Document | undefined>();
  readonly #unwatch: (() => void)[] = [];
  readonly #unfollow: (() => void)[] = [];
  #state: 'new' | 'resting' | 'watching' | 'ended' = 'new';
  #settings: AlertSettings;
  #tellTimer: NodeJS.Timeout | undefined;
  #healthTimer: NodeJS.Timeout | undefined;
  #unhealthySince: number | undefined;
  /** The armed panels that have not come back since the start. */
  readonly #missing = new Set<string>();
  /** By elapsed time. */
  readonly #startedAt: number;
  /** Changes of alerts are made one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(parts: TermParts, settings: AlertSettings) {
    this.#parts = parts;
    this.#now = parts.clock.now;
    this.#startedAt = parts.clock.elapsed();
    this.#settings = settings;
    this.teller = parts.tellerFor(() => this.tellSoon());
  }

  /** Begins to watch, and goes on where a server before it has ended. */
  begin(): void {
    const { store, mutes } = this.#parts;
    const tellSoon = () => this.tellSoon();
    this.#unfollow.push(store.alerts.watch(tellSoon), mutes.watch(tellSoon));
    this.#soon(() => this.#takeUp());
    this.configure(this.#settings);
  }

  configure(settings: AlertSettings): void {
    this.#settings = settings;
    this.teller.configure(settings);
    if (!this.teller.isOn) this.#rest();
    else if (this.#state !== 'watching') this.#watch();
  }

  /** An alert may be due earlier than before. */
  tellSoon(): void {
    clearTimeout(this.#tellTimer);
    const { next } = this.teller;
    if (next === undefined || this.#state !== 'watching') return;
    const wait = Math.min(Math.max(0, next - this.#parts.clock.elapsed()), LONGEST_TIMER_MS);
    this.#tellTimer = setTimeout(() => this.#soon(() => this.#tell()), wait).unref();
  }

  /** Resolves when all that was begun before is done. */
  worked(): Promise<void> {
    return this.#work;
  }

  /** Begins nothing more, from this turn on. */
  end(): void {
    this.#rest();
    this.#state = 'ended';
    for (const end of this.#unfollow.splice(0)) end();
    this.teller.end();
  }

  /** Resolves when what was under way at the end has ended. */
  async settled(): Promise<void> {
    await this.#work;
    await this.teller.settled();
  }

  /** What the server before this one has written last may not be known here yet. */
  async #takeUp(): Promise<void> {
    const { alerts, deliveries, mutes, armed } = this.#parts.store;
    while (this.#state !== 'ended') {
      try {
        for (const shelf of [alerts, deliveries, mutes, armed]) await shelf.readAnew();
        break;
      } catch (error) {
        this.#parts.log.error({ err: error }, 'the stored alerts could not be read');
        await this.#pause();
      }
    }
    if (!this.#hasEnded()) this.teller.begin();
  }

  #watch(): void {
    const { twins, devices, limits } = this.#parts;
    this.#state = 'watching';
    this.#unwatch.push(
      twins.watchAll((change) => this.#hear(change)),
      devices.presence.watchAll(({ isConnected }, id) => this.#presence(id, isConnected)),
      devices.watch((id, why) => {
        if (why === 'deleted') this.#soon(() => this.#forget(id));
      }),
    );
    this.#healthTimer = setInterval(() => this.#lookAtServer(), limits.healthMs).unref();
    this.#soon(async () => this.#lookAtAll());
  }

  #rest(): void {
    this.#state = 'resting';
    for (const end of this.#unwatch.splice(0)) end();
    clearTimeout(this.#tellTimer);
    clearInterval(this.#healthTimer);
    for (const { timer } of this.#panels.values()) clearTimeout(timer);
    this.#panels.clear();
  }

  #lookAtAll(): void {
    const { store, devices, leadership } = this.#parts;
    if (this.#state !== 'watching') return;
    const armed = store.armed.all.map(({ id }) => id);
    for (const id of armed) {
      if (!devices.presence.isConnected(id) && this.#lossOf(id) === undefined) this.#missing.add(id);
    }
    // Before the panels are read, which may take longer than the grace.
    this.#lookAtServer();
    for (const id of armed) this.#recall(id);
    if (leadership.isShared) this.#lookForChanges(armed).catch((error) => this.#notKept(error));
    this.tellSoon();
  }

  /** While no server has led, any panel may have reported an alarm, and devices may have been deleted. */
  async #lookForChanges(known: readonly string[]): Promise<void> {
    const { store, mutes, devices, twins } = this.#parts;
    const told = store.alerts.all.flatMap(({ panel_id }) => (panel_id === null ? [] : [panel_id]));
    for (const id of new Set([...known, ...told, ...mutes.all.map((mute) => mute.id)])) {
      const device = await devices.get(id).catch(unlessNotFound);
      if (device === undefined) this.#soon(() => this.#forget(id));
    }
    const isKnown = new Set(known);
    for (const folder of FOLDERS) {
      if (this.#hasEnded()) return;
      const ids = await twins.idsIn(folder);
      await Promise.all(ids.filter((id) => !isKnown.has(id)).map((id) => this.#recall(id)));
    }
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

  /** What a panel has reported before this term. */
  #recall(id: string): Promise<void> {
    const { twins, devices, limits, clock } = this.#parts;
    return new Promise((done) => {
      twins.get(id, CURRENT, (_, document) => {
        done();
        if (document === undefined || this.#state !== 'watching') return;
        const panel = this.#panelOf(id);
        const isConnected = devices.presence.isConnected(id);
        panel.report(document, isConnected);
        const { unreachable_after } = rulesOf(this.#settings, id);
        // It goes on to be lost, or counts as lost when the grace is over.
        const lostAt = this.#lossOf(id)?.raised_at;
        const countsFrom =
          lostAt === undefined ? this.#startedAt + limits.graceMs : momentOf(Date.parse(lostAt), clock);
        if (!isConnected) panel.gone(countsFrom - unreachable_after * 1000);
        this.#soon(() => this.#apply(id, panel));
      });
    });
  }

  #lossOf(id: string): Alert | undefined {
    return this.#ofPanel(id).find((alert) => alert.kind === 'unreachable' && isOpen(alert));
  }

  #panelOf(id: string): KnownPanel {
    const known = this.#panels.get(id) ?? new KnownPanel(this.#parts.clock);
    this.#panels.set(id, known);
    return known;
  }

  async #keepArmed(id: string, { current }: KnownPanel): Promise<void> {
    const { armed } = this.#parts.store;
    const isArmed = current?.alarm_armed === true;
    if (isArmed === (armed.get(id) !== undefined)) return;
    await (isArmed ? armed.put({ id }) : armed.remove(id));
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
    const mutedUntil = this.#parts.mutes.until(panel.id);
    const changed = reconciled(this.#ofPanel(panel.id), conditions, panel, now, mutedUntil, randomUUID);
    for (const alert of changed) {
      // A person may acknowledge it meanwhile, and the server that led before may raise the same.
      await alerts.keep(alert.id, (latest, all) => {
        if (latest !== undefined) return isOpen(latest) ? resolved(latest, now, mutedUntil) : latest;
        return all().some((other) => isOpen(other) && isSame(other, alert)) ? undefined : alert;
      });
    }
    if (changed.length === 0) return;
    const isPast = (alert: Alert) => !isOpen(alert) && alert.tell_at === null;
    alerts.forgetOldest(isPast, ({ raised_at }) => raised_at, PAST_ALERTS);
    this.tellSoon();
  }

  async #tellTurn(id: string, { current }: KnownPanel): Promise<void> {
    const kind = current?.alarm_armed === true ? 'armed' : 'disarmed';
    if (!rulesOf(this.#settings, id).kinds.includes(kind)) return;
    const now = this.#now();
    const condition = { kind, subject: await this.#writerOf(id), since: now } as const;
    const panel = { id, name: await this.#nameOf(id) };
    const alert = happened(condition, panel, now, this.#parts.mutes.until(id), randomUUID());
    await this.#parts.store.alerts.keep(alert.id, () => alert);
    this.tellSoon();
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
    const since = wallTimeOf(this.#startedAt, this.#parts.clock);
    if (now >= since + this.#parts.limits.graceMs) this.#missing.clear();
    const count = this.#missing.size;
    const open = this.#ofPanel(null).find((alert) => alert.kind === 'restarted' && isOpen(alert));
    const subject = open?.subject ?? (count === 1 ? 'a panel was' : `${count} panels were`);
    if (count > 0) conditions.push({ kind: 'restarted', subject, since });
    const wanted = conditions.filter(({ kind }) => kinds.includes(kind));
    this.#soon(() => this.#reconcile(SERVER, wanted, now));
  }

  async #tell(): Promise<void> {
    try {
      await this.teller.tell();
    } finally {
      this.tellSoon();
    }
  }

  #ofPanel(id: string | null): Alert[] {
    return this.#parts.store.alerts.all.filter(({ panel_id }) => panel_id === id);
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
    await this.#parts.mutes.remove(id);
    for (const alert of this.#ofPanel(id)) await this.#parts.store.alerts.remove(alert.id);
  }

  #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** A failure is logged, and ends nothing: memory has the change, and the disk gets it with the next one. */
  #soon(run: () => Promise<void>): void {
    this.#work = this.#work
      .then(() => this.#untilSure())
      .then(() => (this.#hasEnded() ? undefined : run()))
      .catch((error) => this.#notKept(error));
  }

  /** A process that was stopped for a while does not know at once whether it still leads. */
  async #untilSure(): Promise<void> {
    while (!this.#hasEnded() && !this.#parts.leadership.leads()) await this.#pause();
  }

  #pause(): Promise<void> {
    return delay(this.#parts.limits.againMs, undefined, { ref: false });
  }

  #notKept(error: unknown): void {
    this.#parts.log.error({ err: error }, 'an alert could not be kept');
  }
}

// No timer takes more than 2^31 milliseconds.
const LONGEST_TIMER_MS = 60_000;

const isSame = (one: Alert, two: Alert) => keyOf(one, one.panel_id) === keyOf(two, two.panel_id);

const unlessNotFound = (error: unknown): undefined => {
  if (!(error instanceof DeviceNotFound)) throw error;
};
