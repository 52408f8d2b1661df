import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Alert, type Telling, textOf, titleOf } from './alert.js';
import type { Channel, Message } from './channels/channel.js';
import { type Clock, DueTimes } from './clock.js';
import { afterTellingOf, ESCALATION, groupOf, happened, inNextGroup, tellingOf } from './life.js';
import { type OUTBOX_LIMITS, Outbox } from './outbox.js';
import type { AlertSettings, ChannelSettings } from './settings.js';
import type { AlertStore } from './store.js';

const TELLER_LIMITS = {
  /** Lost panels are sent when no further one was lost for so long, so that many make one message; in milliseconds. */
  gatherMs: 1000,
  /** But after so long they are sent. */
  gatherAtMostMs: 10_000,
  /** More lost panels than this at the same time are sent in one message. */
  toldAlone: 5,
  /** How many of their names the message has. */
  namesTold: 20,
};

export class ChannelNotFound extends Error {
  override name = 'ChannelNotFound';
  constructor(readonly channelId: string) {
    super('channel not found');
  }
}

interface Parts {
  readonly store: Pick<AlertStore, 'alerts' | 'deliveries'>;
  readonly channelOf: (settings: ChannelSettings) => Channel;
  /** Where the app shows a panel. */
  readonly linkOf: (panelId: string | null) => string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits?: Partial<typeof OUTBOX_LIMITS>;
  /** An alert is due earlier than before. */
  readonly onDue: () => void;
}

interface Configured {
  readonly settings: ChannelSettings;
  readonly channel: Channel;
}

/** Makes messages of alerts, and gives them to the channels that are to tell them. */
export class Teller {
  readonly #parts: Parts;
  readonly #outbox: Outbox;
  readonly #dueTimes: DueTimes;
  #channels = new Map<string, Configured>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#dueTimes = new DueTimes(parts.clock);
    this.#outbox = new Outbox({
      ...parts,
      channel: (id) => this.#channels.get(id)?.channel,
      onFailed: ({ message }) => this.#failed(message.alert.id),
    });
  }

  /** Whether there is a channel. */
  get isOn(): boolean {
    return this.#channels.size > 0;
  }

  /** Begins to send, and goes on with the messages of the server before this one. */
  begin(): void {
    this.#outbox.begin();
  }

  /** Sends nothing more. */
  end(): void {
    this.#outbox.end();
  }

  /** Resolves when the attempts that are under way have ended. */
  settled(): Promise<void> {
    return this.#outbox.settled();
  }

  configure({ channels }: AlertSettings): void {
    const { channelOf } = this.#parts;
    this.#channels = new Map(
      channels.map((settings) => [settings.id, { settings, channel: channelOf(settings) }]),
    );
  }

  /**
   * Sends a message by one channel. Resolves when it is on its way.
   * @param target the only one that gets it; all when absent
   * @throws ChannelNotFound, StorageUnavailable
   */
  async test(channelId: string, target?: string): Promise<void> {
    const found = this.#channels.get(channelId);
    if (found === undefined) throw new ChannelNotFound(channelId);
    const now = this.#parts.clock.now();
    const condition = { kind: 'triggered', subject: '', since: now } as const;
    const alert = happened(condition, { id: null, name: 'Test' }, now, undefined, randomUUID());
    await this.#send([alert], 'test', [target === undefined ? found : onlyTo(target, found)]);
  }

  /** Tells every alert that is due. */
  async tell(): Promise<void> {
    const now = this.#parts.clock.elapsed();
    const due = this.#due()
      .filter(([, at]) => at <= now)
      .map(([alert]) => alert);
    for (const alerts of together(due)) await this.#tellThese(alerts);
  }

  /** When the next alert is sent, as a moment of elapsed time; undefined when there is nothing to tell. */
  get next(): number | undefined {
    const times = this.isOn ? this.#due().map(([, at]) => at) : [];
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Each alert that is to be sent, and when. */
  #due(): [Alert, number][] {
    const waiting = this.#parts.store.alerts.all.flatMap((alert): [Alert, number][] =>
      alert.tell_at === null ? [] : [[alert, this.#dueAt(alert, alert.tell_at)]],
    );
    this.#dueTimes.keep(new Set(waiting.map(([{ id }]) => id)));
    const now = this.#parts.clock.elapsed();
    const isLost = (alert: Alert, at: number): boolean => alert.kind === 'unreachable' && at <= now;
    const lost = waiting.filter(([alert, at]) => isLost(alert, at)).map(([, at]) => at);
    const { gatherMs, gatherAtMostMs } = TELLER_LIMITS;
    const gathered = Math.min(Math.max(...lost) + gatherMs, Math.min(...lost) + gatherAtMostMs);
    return waiting.map(([alert, at]) => [alert, isLost(alert, at) ? gathered : at]);
  }

  #dueAt({ id, state, told }: Alert, tellAt: string): number {
    if (state === 'raised' && told > 0) return this.#dueTimes.of(id, tellAt, ESCALATION.repeatMs);
    if (state === 'acknowledged') return this.#dueTimes.of(id, tellAt, ESCALATION.remindMs);
    // It may be the end of a mute.
    return this.#dueTimes.of(id, tellAt, Number.POSITIVE_INFINITY);
  }

  /** An alarm of which no message arrived goes to the next group of channels at once. */
  async #failed(alertId: string): Promise<void> {
    const { alerts, deliveries } = this.#parts.store;
    const alert = alerts.get(alertId);
    const sent = deliveries.all.filter(({ message }) => message.alert.id === alertId);
    if (alert === undefined || sent.some((each) => each.status !== 'failed' && each.is_held_up !== true))
      return;
    const now = this.#parts.clock.now();
    if (inNextGroup(alert, now, this.#groups) === alert) return;
    await alerts.keep(alertId, (latest) =>
      latest?.told === alert.told ? inNextGroup(latest, now, this.#groups) : latest,
    );
    this.#parts.onDue();
  }

  get #groups(): number {
    return Math.max(0, ...[...this.#channels.values()].map(({ settings }) => settings.group));
  }

  /** @param alerts of one kind, with the same telling */
  async #tellThese(alerts: readonly [Alert, ...Alert[]]): Promise<void> {
    const { store, clock } = this.#parts;
    const [first] = alerts;
    const telling = tellingOf(first);
    const recipients = await this.#send(alerts, telling, this.#channelsFor(first, telling));
    for (const alert of alerts) {
      await store.alerts.keep(
        alert.id,
        (latest) => latest && afterTellingOf(alert, latest, clock.now(), this.#groups, recipients),
      );
    }
  }

  #channelsFor(alert: Alert, telling: Telling): Configured[] {
    const group = groupOf(alert);
    return [...this.#channels.values()].filter(
      ({ settings }) =>
        (telling === 'resolved' || settings.group <= group) &&
        (settings.kinds?.includes(alert.kind) ?? true) &&
        (settings.panels?.includes(alert.panel_id ?? '') ?? true),
    );
  }

  /** That it is over is sent only where it was sent that it began. @returns where it is sent */
  async #send(
    alerts: readonly [Alert, ...Alert[]],
    telling: Telling,
    channels: readonly Configured[],
  ): Promise<string[]> {
    const [first] = alerts;
    const at = new Date(this.#parts.clock.now()).toISOString();
    const message = {
      id: '',
      alert: first,
      telling,
      ...(alerts.length > 1 && { count: alerts.length }),
      ...wordsOf(alerts, telling),
      at,
      link: this.#parts.linkOf(first.panel_id),
    };
    const told: string[] = [];
    for (const { settings, channel } of channels) {
      for (const target of channel.targets(message)) {
        const recipient = `${settings.id}.${target}`;
        if (telling === 'resolved' && !alerts.some(({ recipients }) => recipients.includes(recipient)))
          continue;
        await this.#post(message, settings.id, target);
        told.push(recipient);
      }
    }
    return told;
  }

  /** The same message has the same id, so that a server that was killed does not make it twice. */
  #post(message: Message, channel: string, target: string): Promise<void> {
    const id = `${message.alert.id}.${message.alert.told}.${channel}.${target}`;
    return this.#outbox.add({
      id,
      channel,
      target,
      message: { ...message, id },
      status: 'waiting',
      attempts: 0,
      at: message.at,
      reason: null,
    });
  }
}

const onlyTo = (target: string, { settings, channel }: Configured): Configured => ({
  settings,
  channel: { ...channel, targets: () => [target] },
});

/** Each alert by itself, but many lost panels at once, as after a restart of the server or of a router. */
function together(due: readonly Alert[]): [Alert, ...Alert[]][] {
  const lost = due.filter(({ kind }) => kind === 'unreachable');
  const many = lost.length > TELLER_LIMITS.toldAlone ? lost : [];
  const groups = ['raised', 'resolved'].map((telling) =>
    many.filter((alert) => tellingOf(alert) === telling),
  );
  const grouped = new Set(groups.flat());
  const alone = due.filter((alert) => !grouped.has(alert));
  return [...alone.map((alert): [Alert] => [alert]), ...groups.filter(isFilled)];
}

const isFilled = (alerts: readonly Alert[]): alerts is [Alert, ...Alert[]] => alerts.length > 0;

function wordsOf(alerts: readonly [Alert, ...Alert[]], telling: Telling): Pick<Message, 'title' | 'text'> {
  const [first, ...others] = alerts;
  if (others.length === 0) return { title: titleOf(first, telling), text: textOf(first, telling) };
  const names = alerts.slice(0, TELLER_LIMITS.namesTold).map(({ panel }) => panel);
  const more = alerts.length > names.length ? ` and ${alerts.length - names.length} others` : '';
  const title = `No contact with ${alerts.length} armed panels`;
  return { title: telling === 'resolved' ? `Over: ${title}` : title, text: `${names.join(', ')}${more}.` };
}
