/** The rules with several contacts, against a second statement of them. */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AlarmRules, type AlarmState, nextState, obey, UNKNOWN } from '../../firmware/alarm.js';
import type { ContactConfig } from '../../firmware/config.js';
import type { Mode } from '../../shared/panel.js';
import { type Arming, Reference } from './alarm-reference.js';
import { CONTACTS } from './house.js';

const CUT_OFF = 180_000;
const ALL: readonly ContactConfig[] = [
  ...CONTACTS,
  { name: 'S1', kind: 'always', silentWhileDisarmed: true },
];
const RULES: AlarmRules = { sirenMode: 'latch', sirenCutOff: CUT_OFF, contacts: ALL };

/** The rules of the firmware and their second statement side by side. */
class Pair {
  state: AlarmState = UNKNOWN;
  readonly reference = new Reference(ALL, CUT_OFF);
  now = 0;

  pass(duration: number): void {
    this.now += duration;
    for (let until = this.state.until; until !== undefined && until <= this.now; until = this.state.until)
      this.state = nextState(this.state, this.state.open, this.state.fault, until, RULES);
    this.reference.passTo(this.now);
  }

  set(index: number, open: boolean, fault: boolean): void {
    const bit = 1 << index;
    const { state } = this;
    const isOpen = open || fault;
    this.state = nextState(
      state,
      isOpen ? state.open | bit : state.open & ~bit,
      fault ? state.fault | bit : state.fault & ~bit,
      this.now,
      RULES,
    );
    this.reference.set(ALL[index]?.name ?? '', isOpen, fault);
  }

  arm({ mode, bypass, exit, entry }: Arming): void {
    const order = { alarm_armed: true, mode, bypass, exit_delay: exit / 1000, entry_delay: entry / 1000 };
    this.state = obey(this.state, { ...order, isAct: true, isNew: true }, this.now, RULES);
    this.reference.arm({ mode, bypass, exit, entry });
  }

  disarm(): void {
    this.state = obey(this.state, { alarm_armed: false, isAct: true, isNew: true }, this.now, RULES);
    this.reference.disarm();
  }

  compare(): void {
    const { state, reference } = this;
    assert.equal(
      {
        state: state.name,
        siren: state.sirenRinging,
        armed: state.armed,
        door: state.doorOpen,
        memory: state.lastAlarm?.contacts ?? [],
        bypassed: ALL.filter((_, index) => state.bypass & (1 << index)).map(({ name }) => name),
        end: state.until ?? Number.POSITIVE_INFINITY,
        refused:
          state.refused?.contacts ??
          { 'not during an alarm': 'alarm', 'not while armed': 'bypass' }[state.refused?.reason as string],
      },
      {
        state: reference.state,
        siren: reference.state === 'triggered',
        armed: reference.state !== 'disarmed',
        door: reference.doorOpen,
        memory: reference.memory,
        bypassed: ALL.map(({ name }) => name).filter((name) => reference.bypassed.includes(name)),
        end: reference.end,
        refused: reference.refused,
      },
    );
  }
}

const STEP = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), index: fc.nat(ALL.length - 1), open: fc.boolean() }),
  fc.record({ kind: fc.constant('set' as const), index: fc.nat(ALL.length - 1), open: fc.boolean() }),
  fc.record({ kind: fc.constant('fault' as const), index: fc.nat(ALL.length - 1) }),
  fc.record({
    kind: fc.constant('arm' as const),
    mode: fc.constantFrom<Mode>('away', 'home', 'night'),
    bypass: fc.subarray(['D1', 'W1', 'H1'], { maxLength: 2 }),
    exit: fc.constantFrom(0, 10_000, 60_000),
    entry: fc.constantFrom(0, 30_000),
  }),
  fc.constant({ kind: 'disarm' as const }),
);

test('whatever happens, the rules and their second statement agree', () => {
  const steps = fc.array(
    fc.tuple(STEP, fc.oneof(fc.constantFrom(0, 10_000, 30_000, 60_000, CUT_OFF), fc.nat(200_000))),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const pair = new Pair();
      for (const [step, pause] of all) {
        if (step.kind === 'set') pair.set(step.index, step.open, false);
        else if (step.kind === 'fault') pair.set(step.index, true, true);
        else if (step.kind === 'arm') pair.arm(step);
        else pair.disarm();
        pair.compare();
        pair.pass(pause);
        pair.compare();
      }
    }),
    { numRuns: 2000 },
  );
});

test.run();
