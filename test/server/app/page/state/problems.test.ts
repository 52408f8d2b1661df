import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AppEvent, AppState } from '../../../../../server/app/page/state/app.js';
import { wantedOf } from '../../../../../server/app/page/state/panel.js';
import { problemsOf, refusalOf } from '../../../../../server/app/page/state/problems.js';
import { actionText, toggleOf } from '../../../../../server/app/page/state/toggle.js';
import type { CurrentDocument, PanelFault, RefusalReason } from '../../../../../shared/panel.js';
import { connected, current, desired, following, ID, only, SECOND, T } from './world.js';

const told = (document: ReturnType<typeof current>): AppEvent => ({
  type: 'document',
  id: ID,
  document,
  now: T,
});

/** The panel is armed, and says this too. */
const armed = (more: object): AppState =>
  following(connected, told(current({ armed: true, more: more as Partial<CurrentDocument> })));

const problemsIn = (more: object) => problemsOf(only(armed(more)));

const words = suite('what the panel refused, and what it cannot do');

const REASONS: Record<RefusalReason, RegExp> = {
  'too long': /too long/,
  'not a JSON object': /could not read the last order/,
  'bad version': /could not read the version/,
  'not a boolean': /did not understand the last order/,
  'older than what was seen before': /has followed a newer one before/,
  'flash takes no writes': /memory takes no writes/,
  'armed too often': /thousands of times/,
  'a contact is open': /because a contact is open/,
  'not during an alarm': /during an alarm/,
  'not while armed': /only when it is armed/,
  'not a valid value': /did not understand a part/,
};

for (const [reason, expected] of Object.entries(REASONS)) {
  words(`the refusal "${reason}" is said in words, with what to do`, () => {
    const [problem, ...others] = problemsIn({ refused: { reason } });
    assert.equal(others, []);
    assert.match(problem?.what ?? '', expected);
    for (const text of [problem?.what, problem?.todo]) assert.match(text ?? '', /^[A-Z].*\.$/);
  });
}

const FAULTS: Record<PanelFault, RegExp> = {
  flash: /^The memory of the panel is at fault\.$/,
  clock: /does not know the time/,
  memory: /too little memory/,
};

for (const [fault, expected] of Object.entries(FAULTS)) {
  words(`the fault "${fault}" is said in words, with what to do`, () => {
    const [problem, ...others] = problemsIn({ fault });
    assert.equal(others, []);
    assert.match(problem?.what ?? '', expected);
    assert.match(problem?.todo ?? '', /^[A-Z].*\.$/);
  });
}

words('the refusal of an old order says which button the panel obeys', () => {
  const refused = { reason: 'older than what was seen before' };
  assert.match(problemsIn({ refused })[0]?.todo ?? '', 'until you press Disarm. It obeys that.');
  const disarmed = following(connected, told(current({ more: { refused } })));
  assert.match(problemsOf(only(disarmed))[0]?.todo ?? '', 'until you press Arm.');
});

words('a value without words of its own is shown as it is', () => {
  for (const value of ['contacts are open', 'constructor', 'toString']) {
    assert.equal(problemsIn({ refused: { reason: value, key: 'mode' } }), [
      { what: `The panel did not follow the last order: mode: ${value}.`, todo: '' },
    ]);
    assert.equal(problemsIn({ fault: value }), [{ what: `The panel reports a fault: ${value}.`, todo: '' }]);
  }
});

words('the contacts that stand in the way are named', () => {
  const refused = { reason: 'open', contacts: ['front door', 'kitchen window'] };
  assert.is(problemsIn({ refused })[0]?.todo, 'Contacts: front door, kitchen window.');
});

words('a refusal comes before a fault, and without either nothing is said', () => {
  const refused = { reason: 'flash takes no writes' };
  const [first, second] = problemsIn({ refused, fault: 'flash' });
  assert.equal([first], [refusalOf(only(armed({ refused })))]);
  assert.match(second?.what ?? '', FAULTS.flash);
  assert.equal(problemsIn({}), []);
  assert.equal(problemsOf(connected), []);
});

words('what has another form than the protocol says is not shown', () => {
  assert.equal(problemsIn({ refused: 'no', fault: 5 }), []);
});

const button = suite('the button after a refusal');

const OLDER = { refused: { reason: 'older than what was seen before' }, handled: 7 };

/** Somebody wanted the panel disarmed with version 7 of `desired`. It is armed, and says this later. */
const answering = (more: object, ...events: AppEvent[]): AppState =>
  following(
    connected,
    told(desired(false, T, 7)),
    told(current({ armed: true, more: more as Partial<CurrentDocument> }, T + SECOND)),
    ...events,
  );

const shown = (state: AppState) => toggleOf(only(state), state.link, T);

button('offers the order again, since a refused order is not on its way', () => {
  const state = answering(OLDER);
  assert.equal(shown(state), { kind: 'settled', says: true, next: false });
  assert.is(actionText(shown(state)), 'Disarm');
  assert.is(wantedOf(only(state)), undefined);
});

button('shows the new order as on its way, whatever was refused before', () => {
  const asked: AppEvent = { type: 'asked', id: ID, order: { armed: false }, now: T };
  const answered: AppEvent = {
    type: 'answered',
    id: ID,
    document: desired(false, T + 2 * SECOND, 8),
    now: T,
  };
  for (const state of [answering(OLDER, asked), answering(OLDER, asked, answered)]) {
    assert.is(shown(state).kind, 'changing');
    assert.is(wantedOf(only(state)), false);
  }
});

button('takes a refusal whose version the panel could not read for one of the order that stands', () => {
  assert.is(shown(answering({ refused: { reason: 'not a JSON object' } })).kind, 'settled');
});

button('takes no refusal of an earlier order, or of a document that was deleted, for one of this', () => {
  assert.is(shown(answering({ ...OLDER, handled: 6 })).kind, 'changing');
  const anew = told(desired(false, T + 2 * SECOND, 1));
  assert.is(shown(answering(OLDER, anew)).kind, 'changing');
});

button('takes a fault for a refusal when the panel has handled the order and does not follow', () => {
  assert.is(shown(answering({ fault: 'flash', handled: 7 })).kind, 'settled');
  assert.is(shown(answering({ fault: 'flash' })).kind, 'changing');
  assert.is(shown(answering({ fault: 'flash', handled: 6 })).kind, 'changing');
});

words.run();
button.run();
