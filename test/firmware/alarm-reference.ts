/**
 * The alarm's rules once more, written from the issue and not from the firmware: what each contact means in each state, one
 * sentence after the other, on objects with names. Times are in milliseconds.
 */

import type { ContactConfig } from '../../firmware/config.js';
import type { AlarmStateName, Mode } from '../../shared/panel.js';

interface Contact extends ContactConfig {
  isOpen: boolean;
  isFaulty: boolean;
  /** It has tripped and must close before it can trip again. */
  isSpent: boolean;
  /** How often it has sounded the siren in this armed period. */
  sounded: number;
}

export interface Arming {
  mode: Mode;
  bypass: string[];
  exit: number;
  entry: number;
}

const DELAYED: readonly AlarmStateName[] = ['arming', 'pending'];

export class Reference {
  readonly contacts: Contact[];
  readonly cutOff: number;
  time = 0;
  state: AlarmStateName = 'disarmed';
  mode: Mode = 'away';
  entry = 0;
  bypassed: string[] = [];
  memory: string[] = [];
  refused: string[] | 'alarm' | 'bypass' | undefined;
  /** When the present state ends by itself. */
  end = Number.POSITIVE_INFINITY;
  /** The house was disarmed when the siren began. */
  #asleep = false;
  /** What has tripped since the entry delay or the alarm began. */
  #story: string[] = [];

  constructor(contacts: readonly ContactConfig[], cutOff: number) {
    this.cutOff = cutOff;
    this.contacts = contacts.map((contact) => ({
      ...contact,
      isOpen: false,
      isFaulty: false,
      isSpent: false,
      sounded: 0,
    }));
  }

  get doorOpen(): boolean {
    return this.contacts.some(({ kind, isOpen }) => (kind === 'entry' || kind === 'instant') && isOpen);
  }

  /** Lets the time pass; what is due by then happens at its own moment. */
  passTo(time: number): void {
    while (this.end <= time) {
      this.time = this.end;
      this.#ends();
    }
    this.time = time;
  }

  #ends(): void {
    if (this.state === 'pending') this.#sound();
    else {
      if (this.state === 'arming') this.memory = [];
      this.#becomes(this.#asleep ? 'disarmed' : 'armed', Number.POSITIVE_INFINITY);
      this.#asleep = false;
      this.#story = [];
    }
    this.#consider();
  }

  /** Sets a contact, or what its line says. */
  set(name: string, isOpen: boolean, isFaulty: boolean): void {
    const contact = this.#named(name);
    if (isFaulty && !contact.isFaulty) contact.isSpent = false;
    Object.assign(contact, { isOpen, isFaulty });
    if (!isOpen && !isFaulty) contact.isSpent = false;
    this.#consider();
  }

  /** A person who disarms has seen what is open. */
  disarm(): void {
    this.refused = undefined;
    this.#becomes('disarmed', Number.POSITIVE_INFINITY);
    this.bypassed = [];
    this.#asleep = false;
    this.#story = [];
    for (const contact of this.contacts) {
      contact.sounded = 0;
      contact.isSpent = contact.isOpen || contact.isFaulty;
    }
    this.#consider();
  }

  arm({ mode, bypass, exit, entry }: Arming): void {
    this.refused = undefined;
    this.entry = entry;
    if (this.state === 'pending' || this.state === 'triggered') {
      const isAnother = mode !== this.mode || !isSameSet(bypass, this.bypassed) || this.#asleep;
      if (isAnother) this.refused = 'alarm';
      return;
    }
    const isArmed = this.state !== 'disarmed';
    if (isArmed && !isSameSet(bypass, this.bypassed)) {
      this.refused = 'bypass';
      return;
    }
    if (isArmed && mode === this.mode) return;
    const obstacles = this.contacts
      .filter(({ name }) => !bypass.includes(name))
      .filter((contact) => contact.isFaulty || (contact.isOpen && this.#isObstacle(contact, mode)))
      .map(({ name }) => name);
    if (obstacles.length > 0) {
      this.refused = obstacles;
      return;
    }
    this.mode = mode;
    this.bypassed = bypass;
    if (!isArmed) this.#becomes('arming', this.time + exit);
    this.passTo(this.time);
    this.#consider();
  }

  #isObstacle({ kind, modes, silentWhileDisarmed }: Contact, mode: Mode): boolean {
    if (modes !== undefined && !modes.includes(mode)) return false;
    if (kind === 'entry') return this.state === 'armed';
    return kind === 'instant' || (kind === 'always' && silentWhileDisarmed === true);
  }

  /** Whether an open contact matters now, or in an alarm that begins now. */
  #matters(contact: Contact, isAlarm: boolean): boolean {
    if (this.bypassed.includes(contact.name) || contact.isSpent || contact.sounded === 3) return false;
    if (contact.isFaulty) return true;
    if (!contact.isOpen || contact.kind === 'key') return false;
    const isHome = this.state === 'disarmed' || this.#asleep;
    if (contact.kind === 'always') return !(isHome && contact.silentWhileDisarmed);
    if (isHome || (contact.modes !== undefined && !contact.modes.includes(this.mode))) return false;
    return contact.kind === 'instant' || this.state !== 'arming' || isAlarm;
  }

  /** What the contacts make of the state, all of them at once. */
  #consider(): void {
    const isHome = this.state === 'disarmed' || this.#asleep;
    if (isHome) for (const contact of this.contacts) if (this.#isAsleep(contact)) contact.isSpent = false;
    const isLoud = ({ kind, isFaulty }: Contact): boolean => isFaulty || kind === 'always';
    const isAlarm = this.contacts.some((contact) => isLoud(contact) && this.#matters(contact, false));
    const tripping = this.contacts.filter((contact) => this.#matters(contact, isAlarm));
    if (tripping.length === 0) return;
    if (this.state === 'arming' && !tripping.some(isLoud)) {
      this.disarm();
      this.refused = tripping.map(({ name }) => name);
      return;
    }
    for (const contact of tripping) {
      contact.isSpent = true;
      if (!this.#story.includes(contact.name)) this.#story.push(contact.name);
    }
    if (tripping.some((contact) => isLoud(contact) || contact.kind === 'instant')) this.#sound();
    else if (this.state === 'armed') {
      this.#becomes('pending', this.time + this.entry);
      this.passTo(this.time);
    }
    this.#remember();
  }

  /** In a disarmed house only these count: what is open all day and what trips without a word starts anew. */
  #isAsleep({ kind, isFaulty, silentWhileDisarmed }: Contact): boolean {
    return !isFaulty && (kind !== 'always' || silentWhileDisarmed === true);
  }

  #sound(): void {
    if (this.state !== 'triggered') {
      if (this.state === 'arming') this.memory = [];
      this.#asleep = this.state === 'disarmed';
      this.#becomes('triggered', this.time + this.cutOff);
      if (!this.#asleep) for (const name of this.#story) this.#named(name).sounded += 1;
    }
    this.#remember();
  }

  #remember(): void {
    if (this.state !== 'triggered') return;
    for (const name of this.#story) if (!this.memory.includes(name)) this.memory.push(name);
  }

  #becomes(state: AlarmStateName, end: number): void {
    this.state = state;
    this.end = end;
  }

  #named(name: string): Contact {
    const found = this.contacts.find((contact) => contact.name === name);
    if (found === undefined) throw new Error(`no contact ${name}`);
    return found;
  }

  /** Of the delay under way, where there is one. */
  get delayEnd(): number | undefined {
    return DELAYED.includes(this.state) ? this.end : undefined;
  }
}

const isSameSet = (one: string[], other: string[]): boolean =>
  one.length === other.length && one.every((name) => other.includes(name));
