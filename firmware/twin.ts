/** The twin loop: the desired document in, the current document out. */

import { BackOff } from '../shared/backoff.js';
import { type CurrentDocument, OWN_TWIN, type RefusalReason } from '../shared/panel.js';
import type { AlarmState } from './alarm.js';
import type { Board, Timer } from './board.js';
import type { Clock } from './clock.js';
import { Desired, type DocumentId } from './desired.js';
import type { Kept } from './flash.js';
import { Link, type LinkUser, type Outgoing } from './link.js';
import { parseDesired, parseError, type Refusal, refusal, type Wish } from './message.js';
import type { Origin } from './panel.js';
import type { Trouble } from './trouble.js';

/** How much of an unexpected topic is traced. */
const TRACED_TOPIC = 128;
/** Between two answers to writes of `current` by others, in milliseconds. */
const REPAIR_INTERVAL = 1000;

/** `current` without `last_update`, or a part of it. */
type Current = { [key: string]: unknown };

/** What the twin stands for. */
export interface TwinPanel {
  readonly state: AlarmState;
  readonly fault: string | undefined;
  readonly kept: Pick<Kept, 'lastAlarm' | 'wish' | 'door'>;
  /** It reports only what every panel has. */
  readonly isPlain: boolean;
  /** The contacts by their names. */
  report(): object;
  /** Returns why that is not carried out, and is to be tried again. */
  obey(wish: Wish, origin: Origin): RefusalReason | undefined;
  /** Reads the contacts afresh. */
  look(): void;
}

export class Twin implements LinkUser {
  private readonly board: Board;
  private readonly panel: TwinPanel;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly onOnline: () => void;
  readonly troubled: (trouble: Trouble) => void;
  private readonly link: Link;
  private readonly desired = new Desired();
  /** For reports that were refused. */
  private readonly backOff: BackOff;
  /** What is to be said next: ask for `desired`, patch `current` even without a change. */
  private ask = false;
  private refreshDue = false;
  /** The first answer of this connection is still awaited, and the first report with it. */
  private awaiting = false;
  /** What the server knows; undefined: the whole document is to be put. */
  private reported: Current | undefined;
  private refusal: Refusal | undefined;
  /** The version of `desired` that the server has; undefined when it has not said, or it is being written. */
  private seen: number | undefined;
  /** A write of `desired` that is refused is followed by a question at once, once in each poll. */
  private mayAsk = true;
  /** How `current` says when the delay under way ends, and when that is in ticks. */
  private end: { [Key in 'until' | 'remaining']?: CurrentDocument[Key] } = {};
  private endAt: number | undefined;
  /** When `current` may be put again in answer to another writer, in ticks. */
  private repairAt = 0;
  /** Runs until the whole document may be put again. */
  private reportTimer: Timer | undefined;
  private answerTimer: Timer | undefined;
  private pollTimer: Timer | undefined;
  private refreshTimer: Timer | undefined;

  /** `onOnline` is called whenever {@link online} changes. */
  constructor(
    board: Board,
    panel: TwinPanel,
    clock: Pick<Clock, 'now'>,
    onOnline: () => void,
    onTrouble: (trouble: Trouble) => void,
  ) {
    this.board = board;
    this.panel = panel;
    this.clock = clock;
    this.onOnline = onOnline;
    this.troubled = onTrouble;
    this.link = new Link(board, this);
    this.backOff = new BackOff(board.config, board.random);
  }

  get online(): boolean {
    return this.link.online;
  }

  /** To be called at every gain and loss of the network. */
  network(up: boolean): void {
    this.link.network(up);
  }

  /** The panel's state is another one: reports it at once. */
  changed(): void {
    this.endAwaiting();
    this.link.flush();
  }

  /** Reports `last_update` at once, though nothing else may have changed. */
  refresh(): void {
    this.refreshDue = true;
    this.endAt = undefined;
    this.link.flush();
  }

  connected(): void {
    const board = this.board;
    this.ask = true;
    this.awaiting = true;
    this.reported = undefined;
    this.seen = undefined;
    this.endAt = undefined;
    this.desired.forget();
    this.answerTimer = board.timers.set(() => this.answered(), board.config.answerTimeout);
    this.pollTimer = board.timers.repeat(() => this.poll(), board.config.pollInterval);
    this.onOnline();
  }

  disconnected(): void {
    this.endAwaiting();
    const timers = this.board.timers;
    timers.clear(this.pollTimer);
    timers.clear(this.refreshTimer);
    timers.clear(this.reportTimer);
    this.pollTimer = undefined;
    this.refreshTimer = undefined;
    this.reportTimer = undefined;
    this.onOnline();
  }

  next(): Outgoing | undefined {
    if (this.ask) {
      this.ask = false;
      return { topic: `${OWN_TWIN}desired/get`, payload: ArrayBuffer.fromString('{}') };
    }
    if (this.awaiting) return undefined;
    return this.nextReport() ?? this.nextWish();
  }

  /** What the key asked for, written over the version of `desired` that was seen last. */
  private nextWish(): Outgoing | undefined {
    const version = this.seen;
    const door = this.panel.kept.door;
    if (!door || version === undefined) return undefined;
    this.seen = undefined;
    const body = JSON.stringify({ version, data: { alarm_armed: door.armed } });
    return { topic: `${OWN_TWIN}desired/patch`, payload: ArrayBuffer.fromString(body) };
  }

  private nextReport(): Outgoing | undefined {
    const known = this.reported;
    const current = this.current();
    const data = changes(known ?? {}, current);
    if (known !== undefined && !this.refreshDue && Object.keys(data).length === 0) return undefined;
    this.refreshDue = false;
    this.reported = current;
    this.refreshLater();
    const now = this.clock.now();
    if (now !== undefined) data.last_update = new Date(now).toISOString();
    const topic = OWN_TWIN + (known === undefined ? 'current/put' : 'current/patch');
    return {
      topic,
      payload: ArrayBuffer.fromString(JSON.stringify({ data }, known === undefined ? undefined : removing)),
    };
  }

  private current(): Current {
    const panel = this.panel;
    const state = panel.state;
    const isPlain = panel.isPlain;
    const refused = state.refused;
    const current: Current = {
      alarm_armed: state.armed,
      siren_ringing: state.sirenRinging,
      door_open: state.doorOpen,
      last_alarm: panel.kept.lastAlarm,
      ...(this.refusal ?? {
        refused,
        handled: refused || !isPlain ? panel.kept.wish.version || undefined : undefined,
      }),
      fault: panel.fault,
      // While the siren rings, it is the end of that. A panel without delays has no other.
      ...(state.until !== undefined && this.endOf(state.until)),
    };
    if (isPlain) return current;
    return {
      ...current,
      state: state.name,
      mode: state.mode,
      contacts: panel.report(),
    };
  }

  /** Reckoned once for each delay and connection, so that it stays the same; and when the clock comes to be trusted. */
  private endOf(ticks: number): object {
    if (ticks !== this.endAt) {
      const left = ticks - this.board.time.ticks();
      const now = this.clock.now();
      this.endAt = ticks;
      this.end =
        now === undefined
          ? { remaining: Math.ceil(left / 1000) }
          : { until: new Date(now + left).toISOString() };
    }
    return this.end;
  }

  received(topic: string, payload: ArrayBuffer): void {
    switch (topic.startsWith(OWN_TWIN) ? topic.slice(OWN_TWIN.length).replace('/response/', ' ') : '') {
      case 'desired/changed':
        this.onDesired(payload, 'push');
        return this.link.flush();
      case 'desired/get success':
        this.onDesired(payload, 'answer');
        return this.answered();
      case 'desired/patch success':
        this.onDesired(payload, 'own');
        return this.link.flush();
      case 'desired/patch error':
        return this.onWishError(payload);
      case 'desired/get error':
        return this.onDesiredError(payload);
      case 'desired/deleted':
        return this.onDesiredGone();
      case 'current/patch error':
        return this.onReportError(payload, true);
      case 'current/put error':
        return this.onReportError(payload, false);
      case 'current/put success':
      case 'current/patch success':
        return this.onReportDone();
      case 'current/changed':
      case 'current/deleted':
        return this.repair();
      default:
        this.board.trace(`twin: ignored unexpected topic ${topic.slice(0, TRACED_TOPIC)}`);
    }
  }

  private onDesired(payload: ArrayBuffer, origin: Origin): void {
    const desired = parseDesired(payload);
    if ('refused' in desired) return this.refuse(desired);
    const panel = this.panel;
    const id = desired.id;
    const isPush = origin !== 'answer';
    const judgement = this.desired.judge(id, isPush, panel.kept.wish);
    if (judgement === 'late') return this.onLate(id, isPush);
    this.seen = id.version;
    panel.look();
    this.refusal = undefined;
    const isOlder = judgement === 'older';
    const reason = !isOlder
      ? panel.obey(desired, origin)
      : desired.alarm_armed === panel.state.armed
        ? undefined
        : 'older than what was seen before';
    if (reason) this.refuse(refusal(reason, id.version, isOlder ? undefined : 'alarm_armed'));
  }

  /** Somebody else has written it meanwhile: the panel reads it, and decides again. */
  private onWishError(payload: ArrayBuffer): void {
    this.board.trace(`twin: cannot write desired: ${parseError(payload)}`);
    this.ask ||= this.mayAsk;
    this.mayAsk = false;
    this.link.flush();
  }

  private refuse(why: Refusal): void {
    this.refusal = why;
    this.board.trace(`twin: ignored desired: ${why.refused.reason}`);
  }

  /** Which document stands now is asked for after a push; after an answer the next poll asks. */
  private onLate(id: DocumentId, isPush: boolean): void {
    this.board.trace(`twin: ignored desired ${id.version}: a newer one was seen`);
    this.ask ||= isPush;
  }

  /** Without a document the panel stays as it is. */
  private onDesiredError(payload: ArrayBuffer): void {
    const error = parseError(payload);
    if (error === 'document not found') this.onDesiredGone();
    else this.board.trace(`twin: no desired document: ${error}`);
    this.answered();
  }

  private onDesiredGone(): void {
    this.desired.forget();
    this.refusal = undefined;
    this.seen = undefined;
    this.link.flush();
  }

  private onReportError(payload: ArrayBuffer, isPatch: boolean): void {
    const error = parseError(payload);
    if (isPatch && error === 'document not found') return this.reportWhole();
    this.board.trace(`twin: report refused: ${error}`);
    this.reportWholeIn(this.backOff.next());
  }

  private onReportDone(): void {
    if (this.reportTimer === undefined) this.backOff.reset();
  }

  /** Another writer has changed or deleted `current`. */
  private repair(): void {
    if (this.reportTimer !== undefined) return;
    const now = this.board.time.ticks();
    const wait = Math.max(0, this.repairAt - now);
    this.repairAt = now + wait + REPAIR_INTERVAL;
    this.reportWholeIn(wait);
  }

  private reportWholeIn(wait: number): void {
    this.reportTimer ??= this.board.timers.set(() => this.reportWhole(), wait);
  }

  private reportWhole(): void {
    this.reportTimer = undefined;
    this.reported = undefined;
    this.link.flush();
  }

  private answered(): void {
    this.endAwaiting();
    this.link.flush();
  }

  private endAwaiting(): void {
    this.awaiting = false;
    this.board.timers.clear(this.answerTimer);
    this.answerTimer = undefined;
  }

  private poll(): void {
    this.panel.look();
    this.ask = true;
    this.mayAsk = true;
    this.link.flush();
  }

  private refreshLater(): void {
    const { timers, config } = this.board;
    timers.clear(this.refreshTimer);
    this.refreshTimer = timers.set(() => this.refresh(), config.refreshInterval);
  }
}

/** The keys that have changed; one that is gone is undefined. Of an object only its own changes. */
function changes(known: Current, current: Current): Current {
  const changed: Current = {};
  Object.keys({ ...known, ...current }).forEach((key) => {
    const was = known[key];
    const is = current[key];
    if (JSON.stringify(was) !== JSON.stringify(is))
      changed[key] = isObject(was) && isObject(is) ? changes(was, is) : is;
  });
  return changed;
}

const isObject = (value: unknown): value is Current => typeof value === 'object' && !Array.isArray(value);

/** In a patch, what is undefined is removed. */
const removing = (_key: string, value: unknown): unknown => (value === undefined ? null : value);
