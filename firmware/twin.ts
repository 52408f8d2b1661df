/** The twin loop: the desired document in, the current document out. */

import { BackOff } from '../shared/backoff.js';
import { type CurrentDocument, OWN_TWIN, type RefusalReason } from '../shared/panel.js';
import type { AlarmState } from './alarm.js';
import type { Board, Timer } from './board.js';
import type { Clock } from './clock.js';
import { Desired, type DocumentId } from './desired.js';
import type { Kept } from './flash.js';
import { Link, type LinkUser, type Outgoing } from './link.js';
import { encode, parseDesired, parseError, type Refusal, refusal } from './message.js';

/** How much of an unexpected topic is traced. */
const TRACED_TOPIC = 128;
/** Between two answers to writes of `current` by others, in milliseconds. */
const REPAIR_INTERVAL = 1000;

/** `current` without `last_update`, each key with its value or undefined. */
type Current = {
  [Key in keyof Omit<
    CurrentDocument,
    'last_update' | 'state' | 'mode' | 'until' | 'remaining' | 'contacts'
  >]-?: unknown;
};
type Changes = { [Key in keyof CurrentDocument]?: unknown };

/** What the twin stands for. */
export interface TwinPanel {
  readonly state: AlarmState;
  readonly fault: string | undefined;
  readonly kept: Pick<Kept, 'lastAlarm' | 'wish'>;
  /** Returns why that is not carried out. */
  setArmed(armed: boolean, wish: DocumentId): RefusalReason | undefined;
  /** Reads the door afresh. */
  look(): void;
}

export class Twin implements LinkUser {
  private readonly board: Board;
  private readonly panel: TwinPanel;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly onOnline: () => void;
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
  /** When `current` may be put again in answer to another writer, in ticks. */
  private repairAt = 0;
  /** Runs until the whole document may be put again. */
  private reportTimer: Timer | undefined;
  private answerTimer: Timer | undefined;
  private pollTimer: Timer | undefined;
  private refreshTimer: Timer | undefined;

  /** `onOnline` is called whenever {@link online} changes. */
  constructor(board: Board, panel: TwinPanel, clock: Pick<Clock, 'now'>, onOnline: () => void) {
    this.board = board;
    this.panel = panel;
    this.clock = clock;
    this.onOnline = onOnline;
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
    this.link.flush();
  }

  connected(): void {
    const board = this.board;
    this.ask = true;
    this.awaiting = true;
    this.reported = undefined;
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
      return { topic: `${OWN_TWIN}desired/get`, payload: encode('{}') };
    }
    if (this.awaiting) return undefined;
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
    return { topic, payload: encode(JSON.stringify({ data }, known === undefined ? undefined : removing)) };
  }

  private current(): Current {
    const panel = this.panel;
    return {
      alarm_armed: panel.state.armed,
      siren_ringing: panel.state.sirenRinging,
      door_open: panel.state.doorOpen,
      last_alarm: panel.kept.lastAlarm,
      refused: this.refusal?.refused,
      handled: this.refusal?.handled,
      fault: panel.fault,
    };
  }

  received(topic: string, payload: ArrayBuffer): void {
    switch (topic.startsWith(OWN_TWIN) ? topic.slice(OWN_TWIN.length) : '') {
      case 'desired/changed':
        this.onDesired(payload, true);
        return this.link.flush();
      case 'desired/get/response/success':
        this.onDesired(payload, false);
        return this.answered();
      case 'desired/get/response/error':
        return this.onDesiredError(payload);
      case 'desired/deleted':
        return this.onDesiredGone();
      case 'current/patch/response/error':
        return this.onReportError(payload, true);
      case 'current/put/response/error':
        return this.onReportError(payload, false);
      case 'current/put/response/success':
      case 'current/patch/response/success':
        return this.onReportDone();
      case 'current/changed':
      case 'current/deleted':
        return this.repair();
      default:
        this.board.trace(`twin: ignored unexpected topic ${topic.slice(0, TRACED_TOPIC)}`);
    }
  }

  private onDesired(payload: ArrayBuffer, isPush: boolean): void {
    const desired = parseDesired(payload);
    if ('refused' in desired) return this.refuse(desired);
    const panel = this.panel;
    const { armed, id } = desired;
    const judgement = this.desired.judge(id, isPush, panel.kept.wish);
    if (judgement === 'late') return this.onLate(id, isPush);
    panel.look();
    this.refusal = undefined;
    if (judgement === 'older') {
      if (armed !== panel.state.armed) this.refuse(refusal('older than what was seen before', id.version));
    } else {
      const reason = panel.setArmed(armed, id);
      if (reason !== undefined) this.refuse(refusal(reason, id.version, 'alarm_armed'));
    }
  }

  private refuse(why: Refusal): void {
    this.refusal = why;
    this.board.trace(`twin: ignored desired: ${why.refused.reason}`);
  }

  /** Which document stands now is asked for after a push; after an answer the next poll asks. */
  private onLate({ version }: DocumentId, isPush: boolean): void {
    this.board.trace(`twin: ignored desired ${version}: a newer one was seen`);
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
    this.link.flush();
  }

  private refreshLater(): void {
    const { timers, config } = this.board;
    timers.clear(this.refreshTimer);
    this.refreshTimer = timers.set(() => this.refresh(), config.refreshInterval);
  }
}

function changes(known: Partial<Current>, current: Current): Changes {
  const changed: Changes = {};
  (Object.keys(current) as (keyof Current)[]).forEach((key) => {
    if (JSON.stringify(known[key]) !== JSON.stringify(current[key])) changed[key] = current[key];
  });
  return changed;
}

/** In a patch, what is undefined is removed. */
const removing = (_key: string, value: unknown): unknown => (value === undefined ? null : value);
