/** A press on "Disarm" while the server is away, from the press to its end. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AppEvent, AppState } from '../../../../../server/app/page/state/app.js';
import { KEPT_MS } from '../../../../../server/app/page/state/kept-orders.js';
import { after, connected, current, following, ID, OTHER_ID, SECOND, T } from './world.js';

const test = suite('a press that waits for the server');

const told = (said: Parameters<typeof current>[0], at = T): AppEvent => ({
  type: 'document',
  id: ID,
  document: current(said, at, at),
  now: at,
});
const PRESS: AppEvent = { type: 'kept', id: ID, order: { armed: false, pin: '4711' }, now: T };

/** Rings, and the server is gone. */
const gone = (): AppState =>
  after(following(connected, told({ armed: true, ringing: true })), { type: 'link', kind: 'lost', now: T });

test('is kept with its PIN, and is not shown as asked', () => {
  const state = after(gone(), { type: 'asked', id: ID, order: { armed: false }, now: T }, PRESS);
  assert.equal(state.kept, { [ID]: { order: { armed: false, pin: '4711' }, until: T + KEPT_MS } });
  assert.is(state.panels[0]?.asked, undefined);
});

test('is kept no more once it is asked', () => {
  const state = after(gone(), PRESS, { type: 'asked', id: ID, order: { armed: false }, now: T + SECOND });
  assert.equal(state.kept, {});
  assert.equal(state.panels[0]?.asked, { armed: false });
});

test('can be withdrawn', () => {
  assert.equal(after(gone(), PRESS, { type: 'withdrawn', id: ID }).kept, {});
  assert.equal(Object.keys(after(gone(), PRESS, { type: 'withdrawn', id: OTHER_ID }).kept), [ID]);
});

test('expires, and the app says so', () => {
  const before = after(gone(), PRESS, { type: 'ticked', now: T + KEPT_MS - 1 });
  assert.equal([Object.keys(before.kept), before.fault], [[ID], undefined]);
  const state = after(before, { type: 'ticked', now: T + KEPT_MS });
  assert.equal([state.kept, state.fault], [{}, 'not-sent']);
});

test('is dropped when the panel is disarmed without it', () => {
  const ringing = after(gone(), PRESS, told({ armed: true, ringing: true }, T + SECOND));
  assert.equal(Object.keys(ringing.kept), [ID]);
  assert.equal(after(ringing, told({ armed: false }, T + 2 * SECOND)).kept, {});
});

test('ends with the pairing', () => {
  assert.equal(after(gone(), PRESS, { type: 'unpaired' }).kept, {});
});

test.run();
