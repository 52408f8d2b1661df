import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AlarmRules, type AlarmState, nextState, obey, UNKNOWN } from '../../firmware/alarm.js';
import { DEFAULTS } from '../../firmware/config.js';

const CUT_OFF = 180_000;
const { contacts } = DEFAULTS;
const LATCH: AlarmRules = { sirenMode: 'latch', sirenCutOff: CUT_OFF, contacts };
const ENDLESS: AlarmRules = { sirenMode: 'latch', sirenCutOff: 0, contacts };
const FOLLOW: AlarmRules = { sirenMode: 'follow', sirenCutOff: CUT_OFF, contacts };

/** The rules for one contact without delays, as a table: from each situation the events that change it, and where to. */
const SITUATIONS = {
  //               armed, open, rings
  disarmed: [false, false, false],
  disarmedOpen: [false, true, false],
  watching: [true, false, false],
  spent: [true, true, false],
  ringing: [true, false, true],
  ringingOpen: [true, true, true],
} as const;
type Situation = keyof typeof SITUATIONS;
type Event = 'arm' | 'disarm' | 'open' | 'close' | 'cutOff';
type Table = Record<Situation, Partial<Record<Event, Situation>>>;

const LATCH_TABLE: Table = {
  disarmed: { arm: 'watching', open: 'disarmedOpen' },
  disarmedOpen: { arm: 'ringingOpen', close: 'disarmed' },
  watching: { disarm: 'disarmed', open: 'ringingOpen' },
  spent: { disarm: 'disarmedOpen', close: 'watching' },
  ringing: { disarm: 'disarmed', open: 'ringingOpen', cutOff: 'watching' },
  ringingOpen: { disarm: 'disarmedOpen', close: 'ringing', cutOff: 'spent' },
};
const FOLLOW_TABLE: Table = {
  ...LATCH_TABLE,
  ringing: {},
  ringingOpen: { disarm: 'disarmedOpen', close: 'watching' },
};

const arm = (state: AlarmState, armed: boolean, now: number, rules: AlarmRules): AlarmState =>
  obey(state, { alarm_armed: armed, isAct: true, isNew: true }, now, rules);
const setDoor = (state: AlarmState, open: boolean, now: number, rules: AlarmRules): AlarmState =>
  nextState(state, open ? 1 : 0, 0, now, rules);

const EVENTS: Record<Event, (state: AlarmState, now: number, rules: AlarmRules) => AlarmState> = {
  arm: (state, now, rules) => arm(state, true, now, rules),
  disarm: (state, now, rules) => arm(state, false, now, rules),
  open: (state, now, rules) => setDoor(state, true, now, rules),
  close: (state, now, rules) => setDoor(state, false, now, rules),
  cutOff: (state, now, rules) => nextState(state, state.open, 0, now, rules),
};

const situationOf = (state: AlarmState): boolean[] => [state.armed, state.doorOpen, state.sirenRinging];

/** Lets the events happen, each so long after the one before, with the cut-off when its moment comes. */
function compare(rules: AlarmRules, table: Table, steps: [Event, number][]): void {
  let state = UNKNOWN;
  let expected: Situation = 'disarmed';
  let now = 0;
  for (const [event, pause] of steps) {
    const { until } = state;
    now += pause;
    if (until !== undefined && until <= now) {
      state = EVENTS.cutOff(state, until, rules);
      expected = table[expected].cutOff ?? expected;
    }
    state = EVENTS[event](state, now, rules);
    expected = table[expected][event] ?? expected;
    assert.equal(situationOf(state), [...SITUATIONS[expected]]);
  }
}

const STEPS = fc.array(
  fc.tuple(
    fc.constantFrom<Event>('arm', 'disarm', 'open', 'close'),
    fc.oneof(fc.nat(1000), fc.nat(2 * CUT_OFF)),
  ),
  { maxLength: 40 },
);

for (const [name, rules, table] of [
  ['with a cut-off', LATCH, LATCH_TABLE],
  ['without a cut-off', ENDLESS, LATCH_TABLE],
  ['that follows the door', FOLLOW, FOLLOW_TABLE],
] as const) {
  test(`whatever happens, a siren ${name} does as the table says`, () => {
    fc.assert(fc.property(STEPS, (steps) => compare(rules, table, steps)));
  });
}

/** With the door open; the panel was armed before. */
const ringingSince = (now: number, rules: AlarmRules): AlarmState =>
  setDoor(arm(UNKNOWN, true, now, rules), true, now, rules);

test('the siren rings on when the door closes, for 180 s by default and not a moment longer', () => {
  const rules: AlarmRules = DEFAULTS;
  const closed = setDoor(ringingSince(1000, rules), false, 2000, rules);
  assert.is(closed.until, 181_000);
  assert.ok(nextState(closed, 0, 0, 180_999, rules).sirenRinging);
  assert.not.ok(nextState(closed, 0, 0, 181_000, rules).sirenRinging);
});

test('a door that opens again while the siren rings does not make it ring longer', () => {
  const again = setDoor(setDoor(ringingSince(0, LATCH), false, 10, LATCH), true, 20, LATCH);
  assert.is(again.until, CUT_OFF);
});

test('an opening in the very moment of the cut-off rings again', () => {
  const again = setDoor(setDoor(ringingSince(0, LATCH), false, 1, LATCH), true, CUT_OFF, LATCH);
  assert.ok(again.sirenRinging);
  assert.is(again.until, 2 * CUT_OFF);
});

test('a siren without a cut-off rings for ever', () => {
  const ringing = ringingSince(0, ENDLESS);
  assert.is(ringing.until, undefined);
  assert.ok(setDoor(ringing, false, Number.MAX_SAFE_INTEGER, ENDLESS).sirenRinging);
});

test('a siren that follows the door has no cut-off', () => {
  assert.is(ringingSince(0, FOLLOW).until, undefined);
});

test('a state that does not change stays the same object', () => {
  const state = ringingSince(0, LATCH);
  assert.is(setDoor(state, true, 5, LATCH), state);
});

test.run();
