/** One server and panel for all tests of a suite, and for each test a phone that is paired and in contact with the panel. */

import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Phone } from './phone.js';
import { type Scene, startScene } from './scene.js';

export interface OnePhone {
  scene: Scene;
  phone: Phone;
}

/** A test also fails when an error occurred in the page of its phone. */
export function setUp(tests: Test<OnePhone>): void {
  tests.before(async (context) => {
    context.scene = await startScene();
  });
  tests.before.each(async (context) => {
    await context.scene.settle();
    context.phone = await context.scene.phone();
    await context.phone.sees('Panel connected');
  });
  tests.after.each(async ({ phone }) => {
    assert.equal(phone.faults, []);
    await phone.close();
  });
  tests.after(({ scene }) => scene.close());
}
