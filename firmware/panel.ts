/** The panel as it works without a network: flash, contacts and siren under the alarm's rules. */

import type { ContactReport, PanelFault, RefusalReason } from '../shared/panel.js';
import {
  type AlarmState,
  bitsWhere,
  nextState,
  type Order,
  obey,
  rested,
  rungIn,
  stateAtBoot,
  UNKNOWN,
} from './alarm.js';
import type { Board, Timer } from './board.js';
import { Contact } from './contact.js';
import { follows, isSame } from './desired.js';
import { Flash, type Kept } from './flash.js';
import type { Wish } from './message.js';

/**
 * The siren rings only for time that flash counts as used up already, and this is by how much, in milliseconds: however
 * often the power fails, it rings no longer than its cut-off in all.
 */
const RUNG_STEP = 5000;
/** One arming in 10 s on average, in milliseconds, and 5000 at once after a start or a quiet day: arming writes flash. */
const ARMING_INTERVAL = 10_000;
const ARMINGS_IN_ADVANCE = 4999 * ARMING_INTERVAL;
/** How long the levels of several contacts may take to settle after a boot, in milliseconds. */
const SETTLE_TIME = 100;

/** How a document came: as the answer to a question, as a push, or as the answer to the panel's own write of it. */
export type Origin = 'answer' | 'push' | 'own';

export class Panel {
  private readonly board: Board;
  private readonly onChange: () => void;
  private readonly now: () => number | undefined;
  private readonly flash: Flash;
  readonly contacts: readonly Contact[];
  state: AlarmState;
  /** The levels of the contacts count. */
  private isSettled: boolean;
  private timer: Timer | undefined;
  /** When the average allows the next arming, in ticks. */
  private nextArming = -ARMINGS_IN_ADVANCE;

  /**
   * Drives the siren at once. `onChange` is called after every later change of state, when the siren is already driven;
   * `now` is the trusted time, in milliseconds since 1970.
   */
  constructor(board: Board, onChange: () => void, now: () => number | undefined) {
    this.board = board;
    this.onChange = onChange;
    this.now = now;
    const { config, timers } = board;
    const flash = new Flash(board.storage, (line) => board.trace(line));
    this.flash = flash;
    this.contacts = config.contacts.map((_, index) => new Contact(board, index, () => this.update()));
    this.state = UNKNOWN;
    const state = stateAtBoot(flash.kept, board.time.ticks(), config);
    // Older firmware kept less; that is no reason to write.
    flash.kept = { ...this.record(state), rung: flash.kept.rung };
    this.isSettled = this.contacts.length === 1;
    this.enter(this.isSettled ? this.withLevels(state) : state);
    if (!this.isSettled)
      timers.set(() => {
        this.isSettled = true;
        this.update();
      }, SETTLE_TIME);
  }

  get kept(): Kept {
    return this.flash.kept;
  }

  /** What the panel cannot do. */
  get fault(): PanelFault | undefined {
    return this.flash.isSound ? undefined : 'flash';
  }

  /** It has one contact and no delays, and no document asks for more: it reports what such a panel always has. */
  get isPlain(): boolean {
    const { state } = this;
    const { asked } = this.kept;
    return (
      this.contacts.length === 1 && !state.exitDelay && !state.entryDelay && !asked?.mode && !asked?.request
    );
  }

  /** The contacts by their names. What is there and undefined is removed by a patch. */
  report(): object {
    const reports: { [name: string]: { [Key in keyof ContactReport]: unknown } } = {};
    this.board.config.contacts.forEach(({ name, kind }, index) => {
      const { open, level } = this.contacts[index] as Contact;
      const bypassed = this.state.bypass & (1 << index) ? true : undefined;
      reports[name] = { open, kind, bypassed, fault: level === open ? undefined : level };
    });
    return reports;
  }

  /**
   * Obeys a `desired` document that was not handled before. Arming that flash does not take is not carried out, so that
   * the app sees that the panel is not armed: after the next power cut it would not be. Disarming is carried out, because
   * the siren must fall silent. What the rules refuse is in the state.
   *
   * As long as the server does not know of the last use of the key, the later act counts; which is the use of the key when
   * that is not known.
   * @returns why it is not carried out, and will be tried again
   */
  obey(wish: Wish, origin: Origin): RefusalReason | undefined {
    const { kept } = this;
    const { id, armed, mode, request } = wish;
    const before = kept.asked ?? { armed: kept.armed };
    // A server that does not date its documents may count anew.
    if (isSame(id, kept.wish) && (id.created > 0 || armed === before.armed)) return undefined;
    const at = kept.door?.at;
    const isLater = origin !== 'own' && (at && id.updated ? id.updated > at : origin === 'push');
    const isLate = kept.door !== undefined && !isLater;
    const door = isLate && kept.door.armed !== armed ? kept.door : undefined;
    const asked = { armed: door ? door.armed : armed, mode, bypass: wish.bypass, request };
    const order = {
      ...wish,
      armed: armed || isLate,
      isAct: !isLate && (armed !== before.armed || (request !== undefined && request !== before.request)),
      isNew: !isLate && textOf(asked) !== textOf(before),
    };
    return this.carryOut(order, { wish: id, asked, door }, !follows(id, kept.wish), origin === 'own');
  }

  /** The key was used: it arms a panel that is disarmed, and disarms any other. */
  private press(): void {
    const { state } = this;
    const door = { armed: !state.armed, at: this.now() };
    const order = { armed: door.armed, mode: state.mode, isAct: true, isNew: true };
    const asked = { ...this.kept.asked, armed: door.armed };
    const reason = this.carryOut(order, { asked, door }, false, false);
    if (reason) this.become({ ...state, refused: { reason } });
  }

  private carryOut(
    order: Order,
    more: Partial<Kept>,
    isGap: boolean,
    isFree: boolean,
  ): RefusalReason | undefined {
    const { board, flash, kept, state } = this;
    const next = obey(state, order, board.time.ticks(), board.config, this.date());
    const record = this.record(next, more);
    const isChange = isNews(record, kept);
    const isArming = next.armed && !state.armed;
    const isDisarming = state.armed && !next.armed;
    const isAllowed = isFree || (isChange ? isDisarming : !isGap) || this.takeTurn();
    if (isChange && !isAllowed) return 'armed too often';
    if (!isChange && !(isGap && isAllowed) && flash.isSound) {
      flash.kept = record;
    } else if (!flash.store(record)) {
      board.trace(`flash: cannot store that the panel is ${next.armed ? 'armed' : 'disarmed'}`);
      if (isArming) {
        flash.kept = kept;
        return 'flash takes no writes';
      }
    }
    this.become(next);
    return undefined;
  }

  /** Whether the average allows one more write that an order asks for. */
  private takeTurn(): boolean {
    const now = this.board.time.ticks();
    if (now < this.nextArming) return false;
    this.nextArming = Math.max(this.nextArming, now - ARMINGS_IN_ADVANCE) + ARMING_INTERVAL;
    return true;
  }

  /** Reads the contacts afresh. */
  look(): void {
    this.contacts.forEach((contact) => {
      contact.look();
    });
  }

  private update(): void {
    const before = this.state;
    if (!this.isSettled) return;
    this.become(this.withLevels(before));
    const closed = before.open & ~this.state.open;
    if (closed & bitsWhere(this.board.config, ({ kind }) => kind === 'key')) this.press();
  }

  private withLevels(state: AlarmState): AlarmState {
    const { time, config } = this.board;
    const open = bitsWhere(config, (_, index) => this.contacts[index]?.open);
    const fault = bitsWhere(config, (_, index) => typeof this.contacts[index]?.level === 'string');
    return nextState(state, open, fault, time.ticks(), config, this.date());
  }

  private become(state: AlarmState): void {
    if (state === this.state) return;
    this.enter(state);
    this.onChange();
  }

  /** The siren comes first: a write of the flash takes its time. */
  private enter(state: AlarmState): void {
    const { board, flash } = this;
    const { until } = state;
    board.siren.write(state.sirenRinging);
    this.state = state;
    const record = this.record(state);
    if (isNews(record, flash.kept)) flash.store(record);
    board.timers.clear(this.timer);
    this.timer = undefined;
    if (until === undefined) return;
    const now = board.time.ticks();
    const wait = record.rung > 0 ? record.rung - rungIn(state, now, board.config) : until - now;
    this.timer = board.timers.set(() => this.onTimer(), wait);
  }

  /** What flash keeps of a state, besides what it keeps already. The levels of the contacts come and go. */
  private record(now: AlarmState, more?: Partial<Kept>): Kept {
    const { board, kept } = this;
    const { config } = board;
    const state = config.sirenMode === 'follow' ? rested(now) : now;
    const isRinging = state.sirenRinging;
    const used = rungIn(state, board.time.ticks(), config);
    const inAdvance = used < kept.rung ? kept.rung : Math.min(used + RUNG_STEP, config.sirenCutOff);
    const quiet = isRinging || state.name === 'pending' ? (kept.alarm?.quiet ?? 0) : state.quiet;
    return {
      ...kept,
      armed: state.armed,
      lastAlarm: state.lastAlarm,
      rung: !isRinging ? 0 : state.until === undefined ? used : inAdvance,
      alarm: { ...state, quiet, open: 0, fault: 0, doorOpen: false, lastAlarm: undefined },
      ...more,
    };
  }

  /** A timer may be early by a moment. */
  private onTimer(): void {
    this.timer = undefined;
    this.update();
    if (this.timer === undefined) this.enter(this.state);
  }

  /** RFC 3339, as far as it is known. */
  private date(): string | undefined {
    const now = this.now();
    return now === undefined ? now : new Date(now).toISOString();
  }
}

/** Whether flash is to be written. Which document asked for it is no reason. */
const isNews = (record: Kept, kept: Kept): boolean =>
  textOf({ ...record, wish: 0 }) !== textOf({ ...kept, wish: 0 });

const textOf = (value: object): string => JSON.stringify(value);
