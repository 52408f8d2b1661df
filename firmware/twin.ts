/** The twin loop: the desired document in, the current document out. */

import { CURRENT, type CurrentDocument, DESIRED } from '../shared/panel.js';
import { changedTopic, requestTopic, responseTopic } from '../shared/topics.js';
import type { AlarmState } from './alarm.js';
import type { Board, Timer } from './board.js';
import type { Clock } from './clock.js';
import { Link, type LinkUser, type Outgoing } from './link.js';
import { encode, parseDesired, parseError } from './message.js';

const GET_DESIRED = requestTopic(DESIRED, 'get');
const DESIRED_ANSWER = responseTopic(DESIRED, 'get', 'success');
const DESIRED_ERROR = responseTopic(DESIRED, 'get', 'error');
const DESIRED_CHANGED = changedTopic(DESIRED);
const PUT_CURRENT = requestTopic(CURRENT, 'put');
const PUT_DONE = responseTopic(CURRENT, 'put', 'success');
const PUT_ERROR = responseTopic(CURRENT, 'put', 'error');
const PATCH_CURRENT = requestTopic(CURRENT, 'patch');
const PATCH_DONE = responseTopic(CURRENT, 'patch', 'success');
const PATCH_ERROR = responseTopic(CURRENT, 'patch', 'error');

const NOT_FOUND = 'document not found';
/** How much of an unexpected topic is traced. */
const TRACED_TOPIC = 128;
/** So many answers in a row that are older than what was seen before: the document was deleted and made anew. */
const OLDER_ANSWERS = 2;

/** What the twin stands for. */
export interface TwinPanel {
  readonly state: AlarmState;
  setArmed(armed: boolean): void;
  /** Reads the door afresh. */
  look(): void;
}

export class Twin implements LinkUser {
  readonly #board: Board;
  readonly #panel: TwinPanel;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onOnline: () => void;
  readonly #link: Link;
  /** What is to be said next: ask for `desired`, the whole `current`, a `current` patch even without a change. */
  #ask = false;
  #whole = false;
  #refresh = false;
  /** A report was refused: the next poll sends the whole `current`. */
  #refused = false;
  /** The first answer of this connection is still awaited, and the first report with it. */
  #awaiting = false;
  #reported: AlarmState | undefined;
  #reportedAt = 0;
  /** Of the newest `desired` of this connection; 0: none seen. */
  #version = 0;
  #olderAnswers = 0;
  #answerTimer: Timer | undefined;
  #pollTimer: Timer | undefined;
  #refreshTimer: Timer | undefined;

  /** `onOnline` is called whenever {@link online} changes. */
  constructor(board: Board, panel: TwinPanel, clock: Pick<Clock, 'now'>, onOnline: () => void) {
    this.#board = board;
    this.#panel = panel;
    this.#clock = clock;
    this.#onOnline = onOnline;
    this.#link = new Link(board, this);
  }

  get online(): boolean {
    return this.#link.online;
  }

  /** To be called at every gain and loss of the network. */
  network(up: boolean): void {
    this.#link.network(up);
  }

  /** The panel's state is another one: reports it at once. */
  changed(): void {
    this.endAwaiting();
    this.#link.flush();
  }

  /** Reports `last_update` at once, though nothing else may have changed. */
  refresh(): void {
    this.#refresh = true;
    this.#link.flush();
  }

  connected(): void {
    const board = this.#board;
    this.#ask = true;
    this.#whole = true;
    this.#refused = false;
    this.#awaiting = true;
    this.#reported = undefined;
    this.#reportedAt = board.time.ticks();
    this.forgetVersion();
    this.#answerTimer = board.timers.set(() => this.answered(), board.config.answerTimeout);
    this.#pollTimer = board.timers.repeat(() => this.poll(), board.config.pollInterval);
    this.refreshIn(board.config.refreshInterval);
    this.#onOnline();
  }

  disconnected(): void {
    this.endAwaiting();
    this.#board.timers.clear(this.#pollTimer);
    this.#board.timers.clear(this.#refreshTimer);
    this.#pollTimer = undefined;
    this.#refreshTimer = undefined;
    this.#onOnline();
  }

  next(): Outgoing | undefined {
    if (this.#ask) {
      this.#ask = false;
      return { topic: GET_DESIRED, payload: encode('{}') };
    }
    if (this.#awaiting) return undefined;
    const known = this.#whole ? undefined : this.#reported;
    const data = this.report(this.#panel.state, known);
    if (data === undefined) return undefined;
    this.#whole = false;
    this.#refresh = false;
    this.#reported = this.#panel.state;
    this.#reportedAt = this.#board.time.ticks();
    const topic = known === undefined ? PUT_CURRENT : PATCH_CURRENT;
    return { topic, payload: encode(JSON.stringify({ data })) };
  }

  received(topic: string, payload: ArrayBuffer): void {
    switch (topic) {
      case DESIRED_CHANGED:
        return this.onDesired(payload, false);
      case DESIRED_ANSWER:
        this.onDesired(payload, true);
        return this.answered();
      case DESIRED_ERROR:
        this.onDesiredError(payload);
        return this.answered();
      case PATCH_ERROR:
        return this.onReportError(parseError(payload), true);
      case PUT_ERROR:
        return this.onReportError(parseError(payload), false);
      case PUT_DONE:
      case PATCH_DONE:
        return;
      default:
        this.#board.trace(`twin: ignored unexpected topic ${topic.slice(0, TRACED_TOPIC)}`);
    }
  }

  /** What differs from what the server knows, or everything when it knows nothing; undefined: no need to report. */
  private report(state: AlarmState, known: AlarmState | undefined): Partial<CurrentDocument> | undefined {
    const armed = state.armed !== known?.armed;
    const ringing = state.sirenRinging !== known?.sirenRinging;
    const door = state.doorOpen !== known?.doorOpen;
    if (!armed && !ringing && !door && !this.#refresh) return undefined;
    const data: Partial<CurrentDocument> = {};
    const now = this.#clock.now();
    if (now !== undefined) data.last_update = new Date(now).toISOString();
    if (armed) data.alarm_armed = state.armed;
    if (ringing) data.siren_ringing = state.sirenRinging;
    if (door) data.door_open = state.doorOpen;
    return data;
  }

  /** Without a document the panel stays as it is; one that is made from now on begins with version 1 again. */
  private onDesiredError(payload: ArrayBuffer): void {
    const error = parseError(payload);
    if (error === NOT_FOUND) this.forgetVersion();
    else this.#board.trace(`twin: no desired document: ${error}`);
  }

  private onDesired(payload: ArrayBuffer, isAnswer: boolean): void {
    const desired = parseDesired(payload);
    if (typeof desired === 'string') return this.#board.trace(`twin: ignored desired: ${desired}`);
    const version = desired.version ?? this.#version;
    if (version < this.#version) return this.onOlderDesired(version, isAnswer);
    this.#version = version;
    this.#olderAnswers = 0;
    this.#panel.look();
    this.#panel.setArmed(desired.armed);
  }

  /**
   * Older than one seen on this connection, hence ignored. When the server says so twice when asked, the document was
   * deleted and made anew in between, and a new connection begins without a memory of the old one.
   */
  private onOlderDesired(version: number, isAnswer: boolean): void {
    this.#board.trace(`twin: ignored desired ${version} after ${this.#version}`);
    if (!isAnswer) {
      this.#ask = true;
      return this.#link.flush();
    }
    this.#olderAnswers += 1;
    if (this.#olderAnswers >= OLDER_ANSWERS) this.#link.reconnect('desired was made anew');
  }

  private onReportError(error: string, isPatch: boolean): void {
    if (isPatch && error === NOT_FOUND) {
      this.#whole = true;
      return this.#link.flush();
    }
    this.#board.trace(`twin: report refused: ${error}`);
    this.#refused = true;
  }

  private answered(): void {
    this.endAwaiting();
    this.#link.flush();
  }

  private endAwaiting(): void {
    this.#awaiting = false;
    this.#board.timers.clear(this.#answerTimer);
    this.#answerTimer = undefined;
  }

  private forgetVersion(): void {
    this.#version = 0;
    this.#olderAnswers = 0;
  }

  private poll(): void {
    this.#panel.look();
    this.#ask = true;
    this.#whole ||= this.#refused;
    this.#refused = false;
    this.#link.flush();
  }

  private refreshIn(delay: number): void {
    this.#refreshTimer = this.#board.timers.set(() => this.onRefresh(), delay);
  }

  private onRefresh(): void {
    const refreshInterval = this.#board.config.refreshInterval;
    const remaining = this.#reportedAt + refreshInterval - this.#board.time.ticks();
    if (remaining <= 0) this.refresh();
    this.refreshIn(remaining > 0 ? remaining : refreshInterval);
  }
}
