/**
 * The alarm's rules: what the panel does when contacts open and close, a person arms or disarms, and time passes. Pure.
 * Contacts are bits of a number: bit 0 is the first contact of the configuration. Times are ticks, in milliseconds.
 */

import type { AlarmStateName, CurrentDocument, Mode, RefusalReason } from '../shared/panel.js';
import type { ContactConfig, PanelConfig } from './config.js';

export interface AlarmState {
  readonly name: AlarmStateName;
  /** As taken over last; absent before. */
  readonly mode?: Mode | undefined;
  /** For the next delay, in seconds. */
  readonly exitDelay: number;
  readonly entryDelay: number;
  /** When the delay or the siren ends; undefined: never. */
  readonly until?: number | undefined;
  /** Contacts that are left out for this armed period. */
  readonly bypass: number;
  readonly open: number;
  /** Contacts whose line is cut or shorted. */
  readonly fault: number;
  /** Contacts that have tripped, and not closed since. */
  readonly quiet: number;
  /** Contacts that have sounded the siren in this armed period; 8 bits higher those that did so twice, then three times. */
  readonly rings: number;
  /** Names of the contacts that have tripped in this entry delay or alarm, in their order. */
  readonly tripped: readonly string[];
  /** The siren rings in a disarmed house. */
  readonly wasDisarmed: boolean;
  readonly lastAlarm?: CurrentDocument['last_alarm'] | undefined;
  /** Why the last act was not carried out. */
  readonly refused?: Refused | undefined;
  /** What follows from all that. */
  readonly armed: boolean;
  readonly doorOpen: boolean;
  readonly sirenRinging: boolean;
}

export interface Refused {
  reason: RefusalReason;
  key?: string | undefined;
  contacts?: string[] | undefined;
}

export type AlarmRules = Pick<PanelConfig, 'sirenMode' | 'sirenCutOff' | 'contacts'>;

/** What a `desired` document or the key asks for. */
export interface Order {
  readonly alarm_armed: boolean;
  /** Absent: `away`. */
  readonly mode?: Mode | undefined;
  /** Seconds; absent: as before. */
  readonly exit_delay?: number | undefined;
  readonly entry_delay?: number | undefined;
  readonly bypass?: readonly string[] | undefined;
  /** Somebody asks for `alarm_armed`, and does not only repeat it. */
  readonly isAct: boolean;
  /** Something else than the delays is new. */
  readonly isNew: boolean;
  /** The key that is not valid. */
  readonly bad?: string | undefined;
}

/** What flash has of it. Older firmware kept no `alarm`. */
export interface KeptAlarm {
  readonly armed: boolean;
  /** How long the siren has rung, in milliseconds; 0: it does not ring. */
  readonly rung: number;
  readonly lastAlarm?: AlarmState['lastAlarm'];
  readonly alarm?: { readonly [Key in keyof AlarmState]?: AlarmState[Key] | undefined };
}

// Each costs less bytecode than its text.
const DISARMED = 'disarmed';
const ARMING = 'arming';
const ARMED = 'armed';
const PENDING = 'pending';
const TRIGGERED = 'triggered';
const ENTRY = 'entry';
const FOLLOW = 'follow';

const SECOND = 1000;
/** Where the contacts begin in {@link AlarmState.rings} that have sounded the siren as often as they may. */
const MUTED = 16;

/** Before anything is known. */
export const UNKNOWN: AlarmState = {
  name: DISARMED,
  exitDelay: 0,
  entryDelay: 0,
  bypass: 0,
  open: 0,
  fault: 0,
  quiet: 0,
  rings: 0,
  tripped: [],
  wasDisarmed: false,
  armed: false,
  doorOpen: false,
  sirenRinging: false,
};

type Changing = { -readonly [Key in keyof AlarmState]: AlarmState[Key] };

/**
 * The state that follows when the contacts have these levels now; the same object when nothing changes. To be asked at
 * every change of a level and when `until` has come.
 * @param date RFC 3339, where it is known
 */
export function nextState(
  state: AlarmState,
  open: number,
  fault: number,
  now: number,
  rules: AlarmRules,
  date?: string,
): AlarmState {
  const next: Changing = { ...state, open, fault };
  elapse(next, now, rules);
  const isHome = next.wasDisarmed || !next.armed;
  const active = open | fault;
  let always = fault;
  let doors = 0;
  let entries = 0;
  let watched = 0;
  for (let index = 0; index < rules.contacts.length; index++) {
    const contact = rules.contacts[index] as ContactConfig;
    const bit = 1 << index;
    if (isDoor(contact)) {
      doors |= bit;
      if (contact.kind === ENTRY) entries |= bit;
      if (!isHome && counts(contact, next.mode)) watched |= bit;
    } else if (contact.kind !== 'key' && !(isHome && contact.silentWhileDisarmed)) always |= bit;
  }
  entries &= ~fault;
  // A contact is quiet until it closes, the house is disarmed, or its line fails.
  next.quiet &= active & (isHome ? always : -1) & ~(fault & ~state.fault);
  const held = active & (watched | always) & ~next.bypass;
  let trips = held & ~next.quiet & ~(next.rings >> MUTED);
  if (next.name === ARMING && !(trips & always)) {
    trips &= ~entries;
    if (trips) {
      go(next, DISARMED);
      next.refused = { reason: 'a contact is open', contacts: namesOf(trips, rules) };
      trips = 0;
    }
  }
  if (trips) {
    next.tripped = union(next.tripped, namesOf(trips, rules));
    if (rules.sirenMode !== FOLLOW) next.quiet |= trips;
    if (trips & ~entries) {
      trigger(next, now, rules);
    } else if (next.name === ARMED) {
      go(next, PENDING, now + next.entryDelay * SECOND);
      elapse(next, now, rules);
    }
  }
  if (next.sirenRinging) {
    const before = next.lastAlarm?.contacts ?? [];
    const contacts = union(before, next.tripped);
    if (!held && rules.sirenMode === FOLLOW) rest(next);
    // Without a date `at` is there and undefined, so that a patch removes the one of the alarm before.
    else if (contacts.length > before.length)
      next.lastAlarm = { contacts, at: next.lastAlarm ? next.lastAlarm.at : date } as AlarmState['lastAlarm'];
  }
  next.doorOpen = (open & doors) > 0;
  // A copy, because XS cannot make JSON of an object in ROM, such as UNKNOWN.
  return JSON.stringify(next) === JSON.stringify({ ...state }) ? state : next;
}

/** The state that follows when somebody asks for this now. */
export function obey(
  state: AlarmState,
  order: Order,
  now: number,
  rules: AlarmRules,
  date?: string,
): AlarmState {
  const next: Changing = { ...state, refused: undefined };
  const names = order.bypass ?? [];
  const mode = order.mode ?? 'away';
  const bypass = bitsWhere(rules, (contact) => isDoor(contact) && names.includes(contact.name));
  const bad = order.bad ?? (namesOf(bypass, rules).length < names.length ? 'bypass' : undefined);
  if (bad) next.refused = { reason: 'not a valid value', key: bad };
  next.exitDelay = order.exit_delay ?? next.exitDelay;
  next.entryDelay = order.entry_delay ?? next.entryDelay;
  if (!order.alarm_armed) {
    next.mode = order.mode ?? next.mode;
    go(next, DISARMED);
  } else if (bad !== 'mode' && bad !== 'bypass' && (next.armed ? order.isNew : order.isAct)) {
    const isOther = !next.armed || mode !== next.mode;
    const isBypass = next.armed && bypass !== next.bypass;
    if (next.name === PENDING || next.sirenRinging) {
      if (isOther || isBypass || next.wasDisarmed) next.refused = { reason: 'not during an alarm' };
    } else if (isBypass) {
      next.refused = { reason: 'not while armed', key: 'bypass' };
    } else if (isOther) {
      const blocking = bitsWhere(
        rules,
        (contact) =>
          counts(contact, mode) &&
          (contact.kind === ENTRY ? next.name === ARMED : isDoor(contact) || contact.silentWhileDisarmed),
      );
      const contacts = namesOf((next.fault | (next.open & blocking)) & ~bypass, rules);
      if (contacts.length > 0) {
        next.refused = { reason: 'a contact is open', contacts };
      } else {
        next.mode = mode;
        next.bypass = bypass;
        if (!next.armed) go(next, ARMING, now + next.exitDelay * SECOND);
      }
    }
  }
  return nextState(next, next.open, next.fault, now, rules, date);
}

/** The state at boot, before the contacts have been seen. A delay begins anew. */
export function stateAtBoot(kept: KeptAlarm, now: number, rules: AlarmRules): AlarmState {
  const name = !kept.armed ? DISARMED : kept.rung > 0 ? TRIGGERED : ARMED;
  const next = { ...UNKNOWN, name, ...kept.alarm, lastAlarm: kept.lastAlarm } as Changing;
  go(next, next.name, next.until);
  if (next.sirenRinging) {
    // Older firmware kept no names of its one contact.
    next.quiet |= kept.alarm ? bitsOf(next.tripped, rules) : 1;
    next.until = cutOffAfter(kept.rung, now, rules);
    elapse(next, now, rules);
  } else if (next.until !== undefined) {
    next.until = now + SECOND * (next.name === ARMING ? next.exitDelay : next.entryDelay);
  }
  return next;
}

/** The contacts for which this holds. */
const bitsWhere = (rules: AlarmRules, test: (contact: ContactConfig, index: number) => unknown): number =>
  rules.contacts.reduce((bits, contact, index) => (test(contact, index) ? bits | (1 << index) : bits), 0);

const bitsOf = (names: readonly string[], rules: AlarmRules): number =>
  bitsWhere(rules, (contact) => names.includes(contact.name));

const namesOf = (bits: number, rules: AlarmRules): string[] =>
  rules.contacts.filter((_, index) => bits & (1 << index)).map(nameOf);

const nameOf = (contact: ContactConfig): string => contact.name;

const union = (names: readonly string[], others: readonly string[]): string[] =>
  names.concat(others.filter((name) => !names.includes(name)));

const isDoor = (contact: ContactConfig): boolean => contact.kind === ENTRY || contact.kind === 'instant';

const counts = (contact: ContactConfig, mode: Mode = 'away'): boolean =>
  contact.modes?.includes(mode) ?? true;

/** The next state begins. */
function go(next: Changing, name: AlarmStateName, until?: number): void {
  // The memory ends with an arming that succeeds.
  if (next.name === ARMING && name !== DISARMED && until !== next.until) next.lastAlarm = undefined;
  next.name = name;
  next.until = until;
  next.armed = name !== DISARMED;
  next.sirenRinging = name === TRIGGERED;
  if (name === ARMED || !next.armed) {
    next.wasDisarmed = false;
    next.tripped = [];
  }
  if (!next.armed) {
    // What is open now has been seen.
    next.quiet |= next.open | next.fault;
    next.bypass = next.rings = 0;
  }
}

function rest(next: Changing): void {
  go(next, next.wasDisarmed ? DISARMED : ARMED);
}

/** What happens when a delay or the siren's time is over. */
function elapse(next: Changing, now: number, rules: AlarmRules): void {
  if (next.until === undefined || now < next.until) return;
  if (next.name === PENDING) trigger(next, now, rules);
  else rest(next);
}

function trigger(next: Changing, now: number, rules: AlarmRules): void {
  if (next.sirenRinging) return;
  next.wasDisarmed = !next.armed;
  go(next, TRIGGERED, cutOffAfter(0, now, rules));
  // The only contact of a panel rings as often as it likes.
  if (next.until === undefined || next.wasDisarmed || rules.contacts.length === 1) return;
  const bits = bitsOf(next.tripped, rules);
  next.rings |= bits | ((next.rings << 8) & (bits * 0x010100));
}

const cutOffAfter = (rung: number, now: number, rules: AlarmRules): number | undefined =>
  rules.sirenMode === FOLLOW || !rules.sirenCutOff ? undefined : now + rules.sirenCutOff - rung;
