/** The panel as it works without a network: flash, door and siren under the alarm's rules. */

import type { PanelFault, RefusalReason } from '../shared/panel.js';
import { type AlarmState, nextState, rungIn, stateAtBoot, UNKNOWN } from './alarm.js';
import type { Board, Timer } from './board.js';
import { Contact } from './contact.js';
import { type DocumentId, follows } from './desired.js';
import { Flash, type Kept } from './flash.js';

/**
 * The siren rings only for time that flash counts as used up already, and this is by how much, in milliseconds: however
 * often the power fails, it rings no longer than its cut-off in all.
 */
const RUNG_STEP = 5000;
/** One arming in 10 s on average, in milliseconds, and 5000 at once after a start or a quiet day: arming writes flash. */
const ARMING_INTERVAL = 10_000;
const ARMINGS_IN_ADVANCE = 4999 * ARMING_INTERVAL;

export class Panel {
  private readonly board: Board;
  private readonly onChange: () => void;
  private readonly now: () => number | undefined;
  private readonly flash: Flash;
  readonly contacts: readonly Contact[];
  state = UNKNOWN;
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
    this.flash = new Flash(board.storage, (line) => board.trace(line));
    this.contacts = board.config.contacts.map((_, index) => new Contact(board, index, () => this.update()));
    const { armed, rung } = this.flash.kept;
    this.enter(stateAtBoot(armed, this.doorOpen, rung, board.time.ticks(), board.config));
  }

  get kept(): Kept {
    return this.flash.kept;
  }

  /** What the panel cannot do. */
  get fault(): PanelFault | undefined {
    return this.flash.isSound ? undefined : 'flash';
  }

  /**
   * Obeys a `desired` document. Arming that flash does not take is not carried out, so that the app sees that the panel is
   * not armed: after the next power cut it would not be. Disarming is carried out, because the siren must fall silent.
   *
   * A document that changes nothing is kept in memory. Flash is written for it only when versions between it and the one
   * before were never seen: one of them may have asked for the opposite, and come back with a backup.
   * @returns why it is not carried out
   */
  setArmed(armed: boolean, wish: DocumentId): RefusalReason | undefined {
    const { flash, kept } = this;
    const isChange = armed !== kept.armed;
    const isGap = !follows(wish, kept.wish);
    const isBounded = isChange ? armed : isGap;
    const isAllowed = !isBounded || this.takeTurn();
    if (isChange && !isAllowed) return 'armed too often';
    const next = {
      armed,
      wish,
      lastAlarm: isChange && armed ? undefined : kept.lastAlarm,
      rung: isChange ? 0 : kept.rung,
    };
    if (!isChange && !(isGap && isAllowed) && flash.isSound) {
      flash.kept = next;
    } else if (!flash.store(next)) {
      this.board.trace(`flash: cannot store that the panel is ${armed ? 'armed' : 'disarmed'}`);
      if (armed) flash.kept = kept;
    }
    this.update();
    return armed === this.kept.armed ? undefined : 'flash takes no writes';
  }

  /** Whether the average allows one more write that an order asks for. */
  private takeTurn(): boolean {
    const now = this.board.time.ticks();
    if (now < this.nextArming) return false;
    this.nextArming = Math.max(this.nextArming, now - ARMINGS_IN_ADVANCE) + ARMING_INTERVAL;
    return true;
  }

  /** Reads the door afresh. */
  look(): void {
    this.contacts.forEach((contact) => {
      contact.look();
    });
  }

  private get doorOpen(): boolean {
    return this.contacts[0]?.open ?? false;
  }

  private update(): void {
    const board = this.board;
    const state = nextState(this.state, this.kept.armed, this.doorOpen, board.time.ticks(), board.config);
    if (state === this.state) return;
    this.enter(state);
    this.onChange();
  }

  /** The siren comes first: a write of the flash takes its time. */
  private enter(state: AlarmState): void {
    this.board.siren.write(state.sirenRinging);
    const before = this.state;
    this.state = state;
    this.keep(before.sirenRinging);
    if (state.cutOffAt !== before.cutOffAt) this.awaitCutOff();
  }

  /** Keeps what rings, and for how long, through a power cut. */
  private keep(rangBefore: boolean): void {
    const { sirenRinging, cutOffAt } = this.state;
    const kept = this.kept;
    const used = this.rung();
    const isCovered = rangBefore && used < kept.rung;
    const inAdvance = isCovered ? kept.rung : Math.min(used + RUNG_STEP, this.board.config.sirenCutOff);
    const rung = cutOffAt === undefined ? used : inAdvance;
    const lastAlarm = kept.lastAlarm ?? (sirenRinging ? this.alarmNow() : undefined);
    if (lastAlarm === kept.lastAlarm && rung === kept.rung) return;
    this.flash.store({ ...kept, lastAlarm, rung });
  }

  private rung(): number {
    return rungIn(this.state, this.board.time.ticks(), this.board.config);
  }

  private alarmNow(): NonNullable<Kept['lastAlarm']> {
    const now = this.now();
    const at = now === undefined ? now : new Date(now).toISOString();
    // Without a time `at` is there and undefined, so that a patch removes the one of the alarm before.
    return { contacts: ['door'], at } as NonNullable<Kept['lastAlarm']>;
  }

  private awaitCutOff(): void {
    const board = this.board;
    board.timers.clear(this.timer);
    this.timer = undefined;
    if (this.state.cutOffAt === undefined) return;
    this.timer = board.timers.set(() => this.onTimer(), this.kept.rung - this.rung());
  }

  /** A timer may be early by a moment. */
  private onTimer(): void {
    this.timer = undefined;
    this.update();
    if (this.timer !== undefined || this.state.cutOffAt === undefined) return;
    this.keep(true);
    this.awaitCutOff();
  }
}
