/** The real panel on XS, against the second statement of the alarm's rules, on walks by chance. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MODES } from '../../../shared/current-document.js';
import { until } from '../../until.js';
import { type Arming, Reference } from '../alarm-reference.js';
import { CONTACTS } from '../house.js';
import { type OneServer, setUp } from './one-server.js';
import { VirtualPanel } from './virtual-time.js';

const SEQUENCES = 200;
const STEPS = 12;
/** Short, because flash is written while the siren rings. */
const CUT_OFF = 15_000;
const DEBOUNCE = 30;

/** Numbers by chance that a seed repeats: a linear congruence of Numerical Recipes. */
function chance(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

class Walk {
  readonly panel: VirtualPanel;
  readonly reference = new Reference(CONTACTS, CUT_OFF);
  readonly levels = new Map<string, boolean>(CONTACTS.map(({ name, kind }) => [name, kind === 'key']));
  #delays = { exit: 0, entry: 0 };

  constructor(panel: VirtualPanel) {
    this.panel = panel;
    this.reference.set('K1', true, false);
  }

  async pass(duration: number): Promise<void> {
    await this.panel.pass(duration);
    this.reference.passTo(this.reference.time + duration);
  }

  async set(name: string, open: boolean): Promise<void> {
    await this.panel.set(name, open, DEBOUNCE);
    this.levels.set(name, open);
    this.reference.passTo(this.reference.time + DEBOUNCE);
    this.reference.set(name, open, false);
  }

  async press(): Promise<void> {
    const { reference } = this;
    await this.set('K1', false);
    if (reference.state !== 'disarmed') reference.disarm();
    else reference.arm({ mode: reference.mode, bypass: [], ...this.#delays });
    await this.set('K1', true);
  }

  async want(alarm_armed: boolean, { mode, bypass, exit, entry }: Arming): Promise<void> {
    const { reference } = this;
    this.#delays = { exit, entry };
    if (alarm_armed) reference.arm({ mode, bypass, exit, entry });
    else reference.disarm();
    reference.entry = entry;
    const data = { alarm_armed, exit_delay: exit / 1000, entry_delay: entry / 1000 };
    await this.panel.want(alarm_armed ? { ...data, mode, bypass } : data);
    reference.passTo(reference.time + 1);
  }

  get expected(): object {
    const { reference } = this;
    const bypassed = reference.bypassed.length > 0 ? [...reference.bypassed].sort() : [];
    return {
      alarm_armed: reference.state !== 'disarmed',
      siren_ringing: reference.state === 'triggered',
      door_open: reference.doorOpen,
      state: reference.state,
      memory: reference.memory,
      open: [...this.levels].filter(([, open]) => open).map(([name]) => name),
      bypassed,
      hasEnd: reference.delayEnd !== undefined || reference.state === 'triggered',
    };
  }

  get seen(): object {
    const {
      alarm_armed,
      siren_ringing,
      door_open,
      state,
      last_alarm,
      contacts,
      until: end,
    } = this.panel.current;
    const each = Object.entries((contacts ?? {}) as Record<string, { open: boolean; bypassed?: boolean }>);
    return {
      alarm_armed,
      siren_ringing,
      door_open,
      state,
      memory: (last_alarm as { contacts?: string[] } | undefined)?.contacts ?? [],
      open: each.filter(([, { open }]) => open).map(([name]) => name),
      bypassed: each
        .filter(([, contact]) => contact.bypassed === true)
        .map(([name]) => name)
        .sort(),
      hasEnd: end !== undefined,
    };
  }

  /** The reports arrive a moment after the turn. */
  async compare(log: string[]): Promise<void> {
    const expected = JSON.stringify(this.expected);
    const limit = performance.now() + 5000;
    await until(() => JSON.stringify(this.seen) === expected || performance.now() > limit);
    assert.equal(this.seen, this.expected, log.join(', '));
    const { state, sirenRinging } = this.panel.panel.state;
    assert.equal(
      [state, sirenRinging],
      [this.reference.state, this.reference.state === 'triggered'],
      log.join(', '),
    );
  }
}

const test = suite<OneServer>('walks by chance');
setUp(test);

test(`${SEQUENCES} walks by chance, and what the panel does and says is what the rules say`, async ({
  bench,
  server,
}) => {
  const walk = new Walk(await VirtualPanel.start(bench, server, CUT_OFF));
  const visited = new Set<string>();
  for (let sequence = 1; sequence <= SEQUENCES; sequence++) {
    const below = chance(sequence);
    const log = [`sequence ${sequence}`];
    for (let step = 0; step < STEPS; step++) {
      const what = below(10);
      const arming: Arming = {
        mode: MODES[below(3)] ?? 'away',
        bypass: below(4) === 0 ? ['W1'] : [],
        exit: [0, 10_000, 60_000][below(3)] ?? 0,
        entry: [0, 30_000][below(2)] ?? 0,
      };
      if (what < 5) {
        const { name } = CONTACTS[below(CONTACTS.length - 1)] ?? { name: 'D1' };
        const open = !walk.levels.get(name);
        log.push(`${open ? 'open' : 'close'} ${name}`);
        await walk.set(name, open);
      } else if (what < 8) {
        log.push(`arm ${JSON.stringify(arming)}`);
        await walk.want(true, arming);
      } else if (what === 8) {
        log.push('key');
        await walk.press();
      } else {
        log.push('disarm');
        await walk.want(false, arming);
      }
      await walk.compare(log);
      visited.add(walk.reference.state);
      const pause = [0, 5000, 31_000, 61_000, CUT_OFF][below(5)] ?? 0;
      log.push(`wait ${pause}`);
      await walk.pass(pause);
      await walk.compare(log);
      visited.add(walk.reference.state);
    }
  }
  assert.equal([...visited].sort(), ['armed', 'arming', 'disarmed', 'pending', 'triggered']);
});

test.run();
