import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AppEvent, AppState, Link } from '../../../../../server/app/page/state/app.js';
import type { Panel } from '../../../../../server/app/page/state/panel.js';
import {
  actionText,
  obstacleText,
  PATIENCE_MS,
  toggleOf,
  wishText,
} from '../../../../../server/app/page/state/toggle.js';
import type { Mode } from '../../../../../shared/panel.js';
import { after, away, connected, current, desired, following, ID, only, SECOND, T } from './world.js';

const LOST: Link = { kind: 'lost', since: T };

const told = (document: ReturnType<typeof current>, now = T): AppEvent => ({
  type: 'document',
  id: ID,
  document,
  now,
});

const shown = (state: AppState, now = T) => toggleOf(only(state), state.link, now);

const disarmed = (panel: Panel): AppState => following(panel, told(current({})), told(desired(false)));

test('shows what the panel says, where that is what is wanted', () => {
  assert.equal(shown(disarmed(connected)), { kind: 'settled', says: false, next: true });
  const armed = following(connected, told(current({ armed: true })), told(desired(true)));
  assert.equal(shown(armed), { kind: 'settled', says: true, next: false });
});

test('a touch shows a wish, and not what it wishes for', () => {
  const asked = following(connected, told(current({})), {
    type: 'asked',
    id: ID,
    order: { armed: true },
    now: T,
  });
  assert.equal(shown(asked), { kind: 'changing', says: false, next: false });
  assert.is(wishText(shown(asked)), 'Arming…');
});

test('a change of the mode is under way until the panel has it, and a touch disarms meanwhile', () => {
  const inMode = (mode: Mode) => told(current({ armed: true, more: { mode } }));
  const changing = following(connected, inMode('home'), {
    type: 'asked',
    id: ID,
    order: { armed: true, mode: 'away' },
    now: T,
  });
  assert.equal(shown(changing), { kind: 'changing', says: true, next: false });
  assert.equal([wishText(shown(changing)), actionText(shown(changing))], ['Changing the mode…', 'Disarm']);
  assert.is(shown(after(changing, inMode('away'))).kind, 'settled');
});

test('an order without a mode is one for the mode away', () => {
  const armed = (mode: Mode) => told(current({ armed: true, more: { mode } }));
  assert.is(shown(following(connected, told(desired(true)), armed('away'))).kind, 'settled');
  assert.is(shown(following(connected, told(desired(true)), armed('home'))).kind, 'changing');
});

test("the server's answer shows a wish still: only the panel can say that it is armed", () => {
  const answered = following(
    connected,
    told(current({})),
    { type: 'asked', id: ID, order: { armed: true }, now: T },
    { type: 'answered', id: ID, document: desired(true), now: T },
  );
  assert.is(only(answered).asked, undefined);
  assert.equal(shown(answered), { kind: 'changing', says: false, next: false });
  const said = following(connected, told(desired(true)), told(current({ armed: true })));
  assert.equal(shown(said), { kind: 'settled', says: true, next: false });
});

test('says so when a reachable panel has not followed within ten seconds, and not before', () => {
  const state = following(connected, told(current({})), told(desired(true), T + SECOND));
  assert.is(shown(state, T + SECOND + PATIENCE_MS - 1).kind, 'changing');
  const late = shown(state, T + SECOND + PATIENCE_MS);
  assert.is(late.kind, 'late');
  assert.match(wishText(late) ?? '', 'connected, but does not arm');
});

test('the ten seconds begin when the panel comes back', () => {
  const back = T + 60 * SECOND;
  const state = following(away, told(current({})), told(desired(true)), {
    type: 'presence',
    id: ID,
    presence: { isConnected: true, at: back },
    now: back,
  });
  assert.is(shown(state, back + PATIENCE_MS - 1).kind, 'changing');
  assert.is(shown(state, back + PATIENCE_MS).kind, 'late');
});

test('the ten seconds begin anew with another wish', () => {
  const second = T + 9 * SECOND;
  const state = following(
    connected,
    told(current({ armed: true })),
    told(desired(false)),
    told(desired(true), second - 1),
    told(desired(false), second),
  );
  assert.is(shown(state, T + PATIENCE_MS).kind, 'changing');
  assert.is(shown(state, second + PATIENCE_MS).kind, 'late');
});

test('what the panel says of its door does not give it more time', () => {
  const state = following(
    connected,
    told(current({})),
    told(desired(true)),
    told(current({ open: true }), T + 5 * SECOND),
  );
  assert.is(shown(state, T + PATIENCE_MS).kind, 'late');
});

test('waits for a panel that is not reachable, however long', () => {
  const state = following(away, told(current({})), told(desired(true)));
  const waiting = shown(state, T + 1000 * PATIENCE_MS);
  assert.equal(waiting, { kind: 'waiting', says: false, next: false });
  assert.is(wishText(waiting), 'Will arm when the panel is back.');
  const disarming = following(away, told(current({ armed: true })), told(desired(false)));
  assert.is(wishText(shown(disarming)), 'Will disarm when the panel is back.');
});

test('without the server it does not pretend that anything is about to happen', () => {
  const state = following(connected, told(current({})), told(desired(true)), {
    type: 'link',
    kind: 'lost',
    now: T,
  });
  assert.is(shown(state, T + PATIENCE_MS).kind, 'unsure');
  assert.match(wishText(shown(state)) ?? '', 'Asked to arm');
});

test('a touch while a wish is on its way takes it back', () => {
  const state = following(connected, told(current({})), told(desired(true)));
  assert.is(shown(state).next, false);
  assert.is(actionText(shown(state)), 'Cancel');
  assert.is(actionText(shown(disarmed(connected))), 'Arm');
});

test('a panel that has said nothing yet may be armed, and is not shown as anything', () => {
  assert.equal(shown(following(connected)), { kind: 'settled', says: undefined, next: true });
  const wanted = following(away, told(desired(true)));
  assert.equal(shown(wanted), { kind: 'waiting', says: undefined, next: false });
});

test('an answer that is older than an event meanwhile changes nothing', () => {
  const state = following(
    connected,
    told(current({})),
    { type: 'asked', id: ID, order: { armed: true }, now: T },
    told(desired(false, T + 2 * SECOND, 3)),
    { type: 'answered', id: ID, document: desired(true, T + SECOND, 2), now: T },
  );
  assert.is(only(state).desired?.version, 3);
  assert.is(shown(state).kind, 'settled');
});

test('a wish that was refused is no wish any more', () => {
  const state = following(
    connected,
    told(current({})),
    { type: 'asked', id: ID, order: { armed: true }, now: T },
    { type: 'failed', id: ID, fault: 'storage-full', now: T },
  );
  assert.equal(shown(state), { kind: 'settled', says: false, next: true });
  assert.is(state.fault, 'storage-full');
});

test('cannot be touched without the server, nor by a phone that may only look', () => {
  const live = disarmed(connected);
  for (const role of ['app', undefined] as const) assert.is(obstacleText({ ...live, role }, true), undefined);
  const reader = obstacleText({ ...live, role: 'reader' }, true);
  assert.match(reader ?? '', 'may look, but not arm');
  assert.is(obstacleText({ ...live, role: 'reader' }, false), reader);
});

test('without the server it arms nothing, but a press to disarm is kept', () => {
  const lost = { ...disarmed(connected), link: LOST };
  assert.match(obstacleText(lost, true) ?? '', 'without the server');
  assert.is(obstacleText(lost, false), undefined);
});

test('can be touched as soon as the server has said which panels there are', () => {
  const connecting = { ...disarmed(connected), link: { kind: 'connecting', since: T } as const };
  assert.is(obstacleText(connecting, true), undefined);
  assert.is(obstacleText({ ...connecting, isListed: false }, true), '');
});

test.run();
