/**
 * Devices that come, take over from each other, go with and without a word and leave wills, while their owner enables,
 * disables, renews, deletes and follows them.
 */

import { type Step, showStep, stepsOf } from './deeds.js';
import { inTime } from './eventually.js';
import type { Fuzz } from './fuzz.js';
import { Life } from './life.js';
import { shorterLists, smallerItems } from './shrink.js';

export const livesFuzz: Fuzz<readonly Step[]> = {
  name: 'lives',
  unit: 'deeds',
  atOnce: 16,
  make: stepsOf,
  size: (steps) => steps.reduce((sum, step) => sum + step.length, 0),

  async attempt(steps, target) {
    const life = await Life.begin(target);
    for (const step of steps) await inTime(showStep(step), life.step(step));
    await life.end();
  },

  *smaller(steps) {
    yield* shorterLists(steps);
    yield* smallerItems(steps, shorterLists);
  },

  show: (steps) => steps.map(showStep).join('\n'),
};
