import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AlarmRules, type AlarmState, nextState, UNKNOWN } from '../../firmware/alarm.js';
import { DEFAULTS } from '../../firmware/config.js';

const CUT_OFF = 180_000;
const LATCH: AlarmRules = { sirenMode: 'latch', sirenCutOff: CUT_OFF };
const ENDLESS: AlarmRules = { sirenMode: 'latch', sirenCutOff: 0 };
const FOLLOW: AlarmRules = { sirenMode: 'follow', sirenCutOff: CUT_OFF };

/** The rules once more, as a table: from each situation the events that change it, and where to. */
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

const LEVELS: Record<Event, Partial<Pick<AlarmState, 'armed' | 'doorOpen'>>> = {
  arm: { armed: true },
  disarm: { armed: false },
  open: { doorOpen: true },
  close: { doorOpen: false },
  cutOff: {},
};

const follow = (state: AlarmState, event: Event, now: number, rules: AlarmRules): AlarmState => {
  const { armed, doorOpen } = { ...state, ...LEVELS[event] };
  return nextState(state, armed, doorOpen, now, rules);
};

const situationOf = (state: AlarmState): boolean[] => [state.armed, state.doorOpen, state.sirenRinging];

/** Lets the events happen, each so long after the one before, with the cut-off when its moment comes. */
function compare(rules: AlarmRules, table: Table, steps: [Event, number][]): void {
  let state = UNKNOWN;
  let expected: Situation = 'disarmed';
  let now = 0;
  for (const [event, pause] of steps) {
    const { cutOffAt } = state;
    now += pause;
    if (cutOffAt !== undefined && cutOffAt <= now) {
      state = follow(state, 'cutOff', cutOffAt, rules);
      expected = table[expected].cutOff ?? expected;
    }
    state = follow(state, event, now, rules);
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

test('the siren rings on when the door closes, for 180 s by default and not a moment longer', () => {
  const rules: AlarmRules = DEFAULTS;
  const armed = nextState(UNKNOWN, true, false, 0, rules);
  const ringing = nextState(armed, true, true, 1000, rules);
  const closed = nextState(ringing, true, false, 2000, rules);
  assert.is(closed.cutOffAt, 181_000);
  assert.ok(nextState(closed, true, false, 180_999, rules).sirenRinging);
  assert.not.ok(nextState(closed, true, false, 181_000, rules).sirenRinging);
});

test('a door that opens again while the siren rings does not make it ring longer', () => {
  const ringing = nextState(UNKNOWN, true, true, 0, LATCH);
  const again = nextState(nextState(ringing, true, false, 10, LATCH), true, true, 20, LATCH);
  assert.is(again.cutOffAt, CUT_OFF);
});

test('an opening in the very moment of the cut-off rings again', () => {
  const ringing = nextState(nextState(UNKNOWN, true, true, 0, LATCH), true, false, 1, LATCH);
  const again = nextState(ringing, true, true, CUT_OFF, LATCH);
  assert.ok(again.sirenRinging);
  assert.is(again.cutOffAt, 2 * CUT_OFF);
});

test('a siren without a cut-off rings for ever', () => {
  const ringing = nextState(UNKNOWN, true, true, 0, ENDLESS);
  assert.is(ringing.cutOffAt, undefined);
  assert.ok(nextState(ringing, true, false, Number.MAX_SAFE_INTEGER, ENDLESS).sirenRinging);
});

test('a siren that follows the door has no cut-off', () => {
  const ringing = nextState(UNKNOWN, true, true, 0, FOLLOW);
  assert.is(ringing.cutOffAt, undefined);
});

test('a state that does not change stays the same object', () => {
  const state = nextState(UNKNOWN, true, true, 0, LATCH);
  assert.is(nextState(state, true, true, 5, LATCH), state);
});

test.run();
