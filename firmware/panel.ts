/** The panel as it works without a network: flash, contacts and siren under the alarm's rules. */

import type { ContactReport, PanelFault, RefusalReason } from '../shared/panel.js';
import { type AlarmState, nextState, type Order, obey, stateAtBoot, UNKNOWN } from './alarm.js';
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
  private readonly onChange: (() => void) | undefined;
  private readonly now: () => number | undefined;
  private readonly flash: Flash;
  readonly contacts: readonly Contact[];
  state = UNKNOWN;
  /** The levels of the contacts count. */
  private isSettled = false;
  private timer: Timer | undefined;
  /** When the average allows the next arming, in ticks. */
  private nextArming = -ARMINGS_IN_ADVANCE;

  /**
   * Drives the siren at once. `onChange` is called after every later change of state, when the siren is already driven;
   * `now` is the trusted time, in milliseconds since 1970.
   */
  constructor(board: Board, onChange: () => void, now: () => number | undefined) {
    this.board = board;
    this.now = now;
    this.flash = new Flash(board.storage, board.trace.bind(board));
    const update = (): void => this.update();
    this.contacts = board.config.contacts.map((_, index) => new Contact(board, index, update));
    const kept = this.kept;
    const state = stateAtBoot(kept, board.time.ticks(), board.config);
    // Older firmware kept less; that is no reason to write.
    this.flash.kept = { ...this.record(state), rung: kept.rung };
    this.state = state;
    board.siren.write(state.sirenRinging);
    this.enter(state);
    const settle = (): void => {
      this.isSettled = true;
      this.update();
      this.enter(this.state);
    };
    if (this.contacts.length > 1) board.timers.set(settle, SETTLE_TIME);
    else settle();
    this.onChange = onChange;
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
    const state = this.state;
    const asked = this.kept.asked;
    return (
      this.contacts.length === 1 && !(state.exitDelay || state.entryDelay || asked?.mode || asked?.request)
    );
  }

  /** The contacts by their names. */
  report(): object {
    const reports: { [name: string]: { [Key in keyof ContactReport]: unknown } } = {};
    this.board.config.contacts.forEach((contact, index) => {
      const { open, level } = this.contacts[index] as Contact;
      reports[contact.name] = {
        open,
        kind: contact.kind,
        bypassed: this.state.bypass & (1 << index) ? true : undefined,
        fault: level === open ? undefined : level,
      };
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
    const kept = this.kept;
    const { id, alarm_armed, request } = wish;
    const before = kept.asked ?? { alarm_armed: kept.armed };
    const isChange = alarm_armed !== before.alarm_armed;
    // A server that does not date its documents may count anew.
    if (isSame(id, kept.wish) && (id.created > 0 || !isChange)) return undefined;
    const door = kept.door;
    const isOwn = origin === 'own';
    const isAct =
      (isChange && alarm_armed !== door?.armed) || (request !== undefined && request !== before.request);
    const isLater = isAct && (door?.at && id.updated ? id.updated > door.at : origin === 'push');
    const isLate = isOwn || (door !== undefined && !isLater);
    const asked = { alarm_armed, mode: wish.mode, bypass: wish.bypass, request };
    return this.carryOut(
      {
        ...wish,
        alarm_armed: alarm_armed || isLate,
        isAct: isAct && !isLate,
        isNew: !isLate && JSON.stringify(asked) !== JSON.stringify(before),
      },
      { wish: id, asked, door: isLate && door?.armed !== alarm_armed ? door : undefined },
      !follows(id, kept.wish),
      isOwn,
    );
  }

  /** The key was used: it arms a panel that is disarmed, and disarms any other. */
  private press(): void {
    const armed = !this.state.armed;
    const reason = this.carryOut(
      { alarm_armed: armed, mode: this.state.mode, isAct: true, isNew: true },
      { door: { armed, at: this.now() } },
    );
    if (reason) this.become({ ...this.state, refused: { reason } });
  }

  private carryOut(
    order: Order,
    more: Partial<Kept>,
    isGap?: boolean,
    isFree?: boolean,
  ): RefusalReason | undefined {
    const { flash, kept } = this;
    const wasArmed = this.state.armed;
    const next = obey(this.state, order, this.board.time.ticks(), this.board.config, this.date());
    // A use of the key that is refused is no act.
    const record = this.record(next, more.wish || !next.refused ? more : undefined);
    const isChange = essenceOf(record) !== essenceOf(kept);
    const isAllowed = isFree || (isChange ? wasArmed && !next.armed : !isGap) || this.takeTurn();
    if (isChange && !isAllowed) return 'armed too often';
    if (!isChange && !(isGap && isAllowed) && flash.isSound) {
      flash.kept = record;
    } else if (!flash.store(record)) {
      this.board.trace(`flash: cannot store that the panel is ${next.armed ? 'armed' : 'disarmed'}`);
      if (next.armed && !wasArmed) {
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
    if (!this.isSettled) return;
    const before = this.state.open;
    this.become(this.withLevels(this.state));
    const closed = before & ~this.state.open;
    if (this.board.config.contacts.some(({ kind }, index) => kind === 'key' && closed & (1 << index)))
      this.press();
  }

  private withLevels(state: AlarmState): AlarmState {
    let open = 0;
    let fault = 0;
    for (let index = 0; index < this.contacts.length; index++) {
      const contact = this.contacts[index] as Contact;
      if (contact.open) open |= 1 << index;
      if (contact.open !== contact.level) fault |= 1 << index;
    }
    return nextState(state, open, fault, this.board.time.ticks(), this.board.config, this.date());
  }

  private become(state: AlarmState): void {
    if (state === this.state) return;
    this.enter(state);
    this.onChange?.();
  }

  /** The siren comes first: a write of the flash takes its time. */
  private enter(state: AlarmState): void {
    const { timers, config } = this.board;
    const isRinging = state.sirenRinging;
    if (isRinging !== this.state.sirenRinging) this.board.siren.write(isRinging);
    this.state = state;
    const record = this.record(state);
    // A siren that follows the door rings as often as it moves: what is kept then is that it did, when it is over.
    const isPassing = config.sirenMode === 'follow' && (isRinging || state.name === 'pending');
    if (!isPassing && essenceOf(record) !== essenceOf(this.kept)) this.flash.store(record);
    timers.clear(this.timer);
    this.timer = undefined;
    if (state.until === undefined) return;
    const ahead = isRinging ? config.sirenCutOff - record.rung : 0;
    this.timer = timers.set(() => this.onTimer(), state.until - this.board.time.ticks() - ahead);
  }

  /** What flash keeps of a state, besides what it keeps already. The levels of the contacts come and go. */
  private record(state: AlarmState, more?: Partial<Kept>): Kept {
    const kept = this.kept;
    const cutOff = this.board.config.sirenCutOff;
    const isRinging = state.sirenRinging;
    let rung = isRinging ? 1 : 0;
    if (isRinging && state.until !== undefined) {
      rung = Math.max(1, Math.ceil(cutOff - state.until + this.board.time.ticks()));
      rung = rung < kept.rung ? kept.rung : Math.min(rung + RUNG_STEP, cutOff);
    }
    const quiet = isRinging || state.name === 'pending' ? (kept.alarm?.quiet ?? 0) : state.quiet;
    return {
      ...kept,
      armed: state.armed,
      lastAlarm: state.lastAlarm,
      rung,
      alarm: {
        ...state,
        quiet,
        open: undefined,
        fault: undefined,
        lastAlarm: undefined,
        armed: undefined,
        doorOpen: undefined,
        sirenRinging: undefined,
      },
      ...more,
    };
  }

  /** A timer may be early by a moment. */
  private onTimer(): void {
    this.timer = undefined;
    this.update();
    if (this.timer === undefined && this.isSettled) this.enter(this.state);
  }

  /** RFC 3339, as far as it is known. */
  private date(): string | undefined {
    const now = this.now();
    return now === undefined ? now : new Date(now).toISOString();
  }
}

/** Flash is written when this changes. Which document asked for it is another matter. */
const essenceOf = (kept: Kept): string => JSON.stringify({ ...kept, wish: 0 });
