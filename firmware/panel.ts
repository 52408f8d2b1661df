/** The alarm itself, network or no network: the armed flag, the door and the siren under the panel's rules. */

import { type AlarmState, nextState, UNKNOWN } from './alarm.js';
import type { Board, Timer } from './board.js';
import { Contact } from './contact.js';
import { Flash } from './flash.js';

export class Panel {
  readonly #board: Board;
  readonly #onChange: () => void;
  readonly #flash: Flash;
  readonly #contact: Contact;
  #armed: boolean;
  #state = UNKNOWN;
  #cutOff: Timer | undefined;

  /** Drives the siren at once. `onChange` is called after every later change of state, the siren being driven already. */
  constructor(board: Board, onChange: () => void) {
    this.#board = board;
    this.#flash = new Flash(board.storage, (line) => board.trace(line));
    this.#armed = this.#flash.armedAtStart;
    this.#contact = new Contact(board, () => this.update());
    // Only from here on: at the start nobody is there yet to be told.
    this.#onChange = onChange;
    this.enter(this.next());
  }

  get state(): AlarmState {
    return this.#state;
  }

  /**
   * A flag that flash does not take: arming is not carried out, so that the app sees the panel is not armed, as after
   * the next power cut it would not be; disarming is, because a siren must fall silent.
   */
  setArmed(armed: boolean): void {
    const stored = this.#flash.store(armed);
    if (!stored) this.#board.trace(`flash: cannot store that the panel is ${armed ? 'armed' : 'disarmed'}`);
    if (armed && !stored) return;
    this.#armed = armed;
    this.update();
  }

  /** Reads the door afresh. */
  look(): void {
    this.#contact.look();
  }

  private next(): AlarmState {
    const board = this.#board;
    return nextState(this.#state, this.#armed, this.#contact.open, board.time.ticks(), board.config);
  }

  private update(): void {
    const state = this.next();
    if (state === this.#state) return;
    this.enter(state);
    this.#onChange();
  }

  private enter(state: AlarmState): void {
    this.#board.siren.write(state.sirenRinging);
    const before = this.#state.cutOffAt;
    this.#state = state;
    if (state.cutOffAt === before) return;
    this.#board.timers.clear(this.#cutOff);
    this.#cutOff = undefined;
    this.awaitCutOff();
  }

  private awaitCutOff(): void {
    const cutOffAt = this.#state.cutOffAt;
    if (cutOffAt === undefined) return;
    this.#cutOff = this.#board.timers.set(() => this.onCutOff(), cutOffAt - this.#board.time.ticks());
  }

  /** A timer may be early by a moment. */
  private onCutOff(): void {
    this.#cutOff = undefined;
    this.update();
    this.awaitCutOff();
  }
}
