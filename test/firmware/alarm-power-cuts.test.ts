/** The power is cut at any operation of the flash, whatever the alarm is about. */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { House } from './house.js';
import type { Tear } from './memory-store.js';

const ACTS: Record<string, (house: House) => House> = {
  arm: (house) => house.want(true),
  'arm at once': (house) => house.want(true, { exit_delay: 0, mode: 'night' }),
  'arm at home without W1': (house) => house.want(true, { mode: 'home', bypass: ['W1'] }),
  disarm: (house) => house.want(false),
  'use the key': (house) => house.key(),
  'open D1': (house) => house.open('D1'),
  'close D1': (house) => house.close('D1'),
  'open W1': (house) => house.open('W1'),
  'close W1': (house) => house.close('W1'),
  'open T1': (house) => house.open('T1'),
  'close T1': (house) => house.close('T1'),
  'wait 31 s': (house) => house.wait(31),
  'wait 61 s': (house) => house.wait(61),
};

const TEARS: Tear[] = [
  (before) => before,
  (_before, after) => after,
  () => undefined,
  (_before, after) => after.slice(0, 9),
  (before, after) => Uint8Array.from([...after.slice(0, 40), ...(before ?? after.fill(0xff)).slice(40)]),
];

const houseAfter = (acts: readonly string[]): House => {
  const house = new House().want(false);
  for (const act of acts) ACTS[act]?.(house);
  return house;
};

/** What holds once the power is back; the network is not. */
function afterCut(house: House): object {
  const { state } = house.network(false).powerOff(1).wait(0.2);
  return { state, siren: house.siren };
}

test('a power cut at any operation of the flash during any act leaves what held before it or after it', () => {
  const act = fc.constantFrom(...Object.keys(ACTS));
  const acts = fc.constantFrom(...Object.keys(ACTS).filter((name) => !name.startsWith('wait')));
  fc.assert(
    fc.property(
      fc.array(act, { maxLength: 5 }),
      acts,
      fc.nat(5),
      fc.constantFrom(...TEARS),
      (before, last, at, tear) => {
        const possible = [houseAfter(before), houseAfter([...before, last])].map(afterCut);
        const house = houseAfter(before);
        house.board.storage.cutPowerAt(1 + at, tear);
        ACTS[last]?.(house);
        const left = afterCut(house);
        // The contacts are as the act has left them.
        const isLevel = last.startsWith('open') || last.startsWith('close');
        if (isLevel) possible.push(afterCut(withLevels(houseAfter(before), last)));
        assert.ok(
          possible.some((state) => JSON.stringify(state) === JSON.stringify(left)),
          `${JSON.stringify(left)} is none of ${JSON.stringify(possible)}`,
        );
      },
    ),
    { numRuns: 500 },
  );
});

/** The contact moves while there is no power. */
function withLevels(house: House, act: string): House {
  const [verb, name = ''] = act.split(' ');
  house.network(false).board.storage.cutPowerAt(1, (block) => block);
  house.level(name, verb === 'open' ? 1 : 0);
  return house;
}

test.run();
