/** The panel as it works without a network: flash, door and siren under the alarm's rules. */

import type { PanelFault } from '../shared/panel.js';
import { type AlarmState, nextState, rungIn, stateAtBoot, UNKNOWN } from './alarm.js';
import type { Board, Timer } from './board.js';
import { Contact } from './contact.js';
import { type DocumentId, isOlder } from './desired.js';
import { Flash, type Kept } from './flash.js';

/** While the siren rings, the panel stores at this interval how long it has rung, in milliseconds. */
const RUNG_STEP = 5000;
/** What each start of the siren costs in advance: a brown-out that the siren causes itself must not let it ring for ever. */
const START_COST = 1000;

export class Panel {
  private readonly board: Board;
  private readonly onChange: () => void;
  private readonly now: () => number | undefined;
  private readonly flash: Flash;
  private readonly contact: Contact;
  state = UNKNOWN;
  private timer: Timer | undefined;

  /**
   * Drives the siren at once. `onChange` is called after every later change of state, when the siren is already driven;
   * `now` is the trusted time, in milliseconds since 1970.
   */
  constructor(board: Board, onChange: () => void, now: () => number | undefined) {
    this.board = board;
    this.onChange = onChange;
    this.now = now;
    this.flash = new Flash(board.storage, (line) => board.trace(line));
    this.contact = new Contact(board, () => this.update());
    const { armed, rung } = this.flash.kept;
    this.enter(stateAtBoot(armed, this.contact.open, rung, board.time.ticks(), board.config));
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
   * @returns whether it is carried out
   */
  setArmed(armed: boolean, wish: DocumentId): boolean {
    const kept = this.kept;
    const isChange = armed !== kept.armed;
    const isFirst = kept.wish.created === 0 && wish.created !== 0;
    const next = {
      armed,
      wish: isChange || isFirst || isOlder(wish, kept.wish) ? wish : kept.wish,
      lastAlarm: isChange && armed ? undefined : kept.lastAlarm,
      rung: isChange ? 0 : kept.rung,
    };
    const stored = this.flash.store(next);
    if (!stored) this.board.trace(`flash: cannot store that the panel is ${armed ? 'armed' : 'disarmed'}`);
    if (armed && !stored) this.flash.kept = kept;
    this.update();
    return armed === this.kept.armed;
  }

  /** Reads the door afresh. */
  look(): void {
    this.contact.look();
  }

  private update(): void {
    const board = this.board;
    const state = nextState(this.state, this.kept.armed, this.contact.open, board.time.ticks(), board.config);
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
    const { sirenRinging } = this.state;
    const kept = this.kept;
    const starts = sirenRinging && !rangBefore;
    const used = rungIn(this.state, this.board.time.ticks(), this.board.config);
    const rung = used + (starts && used > 0 ? START_COST : 0);
    const lastAlarm = kept.lastAlarm ?? (sirenRinging ? this.alarmNow() : undefined);
    const isStep = rung === 0 || sirenRinging !== rangBefore || rung - kept.rung >= RUNG_STEP;
    if (lastAlarm === kept.lastAlarm && (rung === kept.rung || !isStep)) return;
    this.flash.store({ ...kept, lastAlarm, rung });
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
    const { cutOffAt } = this.state;
    if (cutOffAt === undefined) return;
    const remaining = cutOffAt - board.time.ticks();
    this.timer = board.timers.set(() => this.onTimer(), Math.min(RUNG_STEP, remaining));
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
