import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AppEvent,
  alarming,
  initial,
  isGone,
  missedAlarm,
  PAST_MS,
  shownId,
} from '../../../../../server/app/page/state/app.js';
import { headlineOf } from '../../../../../server/app/page/state/headline.js';
import { newPanel, withDocument } from '../../../../../server/app/page/state/panel.js';
import { Store } from '../../../../../server/app/page/state/store.js';
import {
  after,
  away,
  connected,
  current,
  desired,
  following,
  ID,
  MINUTE,
  OTHER_ID,
  only,
  other,
  run,
  SECOND,
  T,
  TOKEN,
} from './world.js';

const RINGING = current({ armed: true, open: true, ringing: true });
const garage = newPanel(OTHER_ID, 'Garage', { isConnected: true, at: T });

const told = (document: typeof RINGING, id = ID): AppEvent => ({ type: 'document', id, document, now: T });
const link = (kind: 'connecting' | 'live' | 'lost', now: number): AppEvent => ({ type: 'link', kind, now });
const listed = (...panels: (typeof connected)[]): AppEvent => ({ type: 'listed', panels, now: T });

const panels = suite('which panel is shown');

panels('the only panel is opened directly, several are listed', () => {
  assert.is(shownId(following(connected)), ID);
  const both = following(connected, listed(connected, garage));
  assert.is(shownId(both), undefined);
  assert.is(shownId(after(both, { type: 'opened', id: OTHER_ID })), OTHER_ID);
});

panels('a device that is no alarm panel is not opened by itself', () => {
  const lamp = withDocument(garage, other({ on: true }));
  assert.ok(lamp.isOther);
  assert.is(shownId(following(connected, listed(connected, lamp))), ID);
});

panels('a panel that was removed is shown no longer', () => {
  const open = following(connected, listed(connected, garage), { type: 'opened', id: ID });
  assert.is(shownId(open), ID);
  assert.is(isGone(open), false);
  assert.is(shownId(after(open, listed(garage))), undefined);
  assert.is(isGone(after(open, listed(garage))), true);
  assert.is(shownId(after(open, listed())), undefined);
});

panels('a link to a panel that the server does not know shows no other one', () => {
  const listed = following(garage, { type: 'opened', id: ID });
  assert.equal([shownId(listed), isGone(listed)], [undefined, true]);
  const unlisted = after(initial(T), { type: 'paired', token: TOKEN }, { type: 'opened', id: ID });
  assert.equal([shownId(unlisted), isGone(unlisted)], [ID, false]);
});

panels('what the events of the shown panel told is not undone by an older look at the list', () => {
  const state = following(connected, told(RINGING), listed({ ...connected, name: 'Back door' }));
  assert.is(only(state).name, 'Back door');
  assert.is(only(state).current?.version, 1);
});

panels('a list that comes while something is asked does not forget the wish', () => {
  const state = after(
    following(connected),
    { type: 'asked', id: ID, order: { armed: true }, now: T },
    link('lost', T),
    listed(connected),
  );
  assert.equal(only(state).asked, { armed: true });
});

const pairing = suite('pairing');

pairing('begins with nothing of what was known before', () => {
  const state = following(connected, told(RINGING), { type: 'recognised', role: 'owner', hasPin: true });
  const again = after(state, { type: 'paired', token: OTHER_ID });
  assert.equal(again, { ...initial(T), token: OTHER_ID });
});

pairing('ends with the token, and forgets what it let this phone see', () => {
  for (const fault of ['revoked', 'expired'] as const) {
    const state = following(connected, told(RINGING), { type: 'failed', fault, now: T });
    assert.equal(state, { ...initial(T), fault });
  }
  const unpaired = following(connected, { type: 'unpaired' });
  assert.equal(unpaired, { ...initial(T), fault: undefined });
});

pairing('outlives every other fault', () => {
  const state = following(connected, { type: 'failed', fault: 'server-away', now: T });
  assert.is(state.token, TOKEN);
  assert.is(after(state, { type: 'fault-read' }).fault, undefined);
});

const truth = suite('how old it is what is shown');

const isOld = (...events: AppEvent[]): boolean => {
  const state = following(connected, told(RINGING), ...events);
  return headlineOf(only(state), state.link).isOld;
};

truth('nothing is old while the server and the panel are there', () => {
  assert.not(isOld());
});

truth('everything is, from when either is not', () => {
  assert.ok(isOld(link('connecting', T)));
  assert.ok(isOld(link('lost', T)));
  assert.ok(isOld({ type: 'presence', id: ID, presence: { isConnected: false, at: T }, now: T }));
});

truth('a connection is lost from when it ended, however often it is tried', () => {
  const state = following(
    connected,
    link('connecting', T + SECOND),
    link('lost', T + 2 * SECOND),
    link('connecting', T + 3 * SECOND),
    link('lost', T + 4 * SECOND),
  );
  assert.equal(state.link, { kind: 'lost', since: T + SECOND });
  assert.equal(after(state, link('live', T + MINUTE)).link, { kind: 'live', since: T + MINUTE });
});

truth('a deleted document is no longer shown', () => {
  const events: AppEvent[] = [
    { type: 'twin', id: ID, names: ['desired'], now: T },
    { type: 'document-deleted', id: ID, name: 'current', now: T },
  ];
  for (const event of events) {
    const state = following(connected, told(RINGING), told(desired(true)), event);
    assert.is(only(state).current, undefined);
    assert.is(only(state).desired?.data.alarm_armed, true);
    assert.is(headlineOf(only(state), state.link).mood, 'unknown');
  }
});

const alarm = suite('an alarm');

alarm('is shown before anything else, of whichever panel', () => {
  const state = following(connected, listed(connected, garage), told(RINGING, OTHER_ID));
  assert.is(alarming(state)?.id, OTHER_ID);
  assert.is(alarming(following(connected)), undefined);
});

alarm('is shown until it ends, or until somebody takes note; and each one anew', () => {
  const state = following(connected, told(RINGING), { type: 'silenced', id: ID });
  assert.is(alarming(state), undefined);
  const again = after(state, told(current({ armed: true })), told(RINGING));
  assert.is(alarming(again)?.id, ID);
});

alarm('is shown also when the contact is lost while it rings', () => {
  const state = following(connected, told(RINGING), link('lost', T));
  assert.is(alarming(state)?.id, ID);
});

const past = {
  type: 'past',
  id: ID,
  runs: [run(-9, -8), run(-7, -5, { ringing: true }), run(-4, 0)],
  orders: [],
} as const;

alarm('that this phone has not shown is shown afterwards, once', () => {
  const state = following(connected, told(current({ armed: true })), past);
  assert.equal(missedAlarm(state, ID), { from: T - 7 * MINUTE, to: T - 4 * MINUTE });
  assert.is(missedAlarm(after(state, { type: 'alarm-seen', id: ID }), ID), undefined);
});

alarm('that was silenced or ended from this phone is known', () => {
  const knowing: AppEvent[] = [
    { type: 'silenced', id: ID },
    { type: 'asked', id: ID, order: { armed: false }, now: T },
  ];
  for (const event of knowing) {
    const runs = [run(-9, -8), run(-7, 0, { ringing: true, armed: true, open: true })];
    const ringing = following(connected, { ...past, runs }, told(RINGING), event);
    const over = after(ringing, told(current({}, T + SECOND, 1001)));
    assert.is(missedAlarm(over, ID), undefined);
  }
});

const history = suite('the past');

history('begins with what is read, goes on with events, and ends after seven days', () => {
  const unread = following(connected, told(RINGING));
  assert.is(unread.past[ID], undefined);
  const old = { ...run(0, 1), from: T - PAST_MS - MINUTE, to: T - PAST_MS - 1 };
  const read = after(unread, { type: 'past', id: ID, runs: [old, run(-2, -1)], orders: [] });
  assert.equal(read.past[ID], [run(-2, -1)]);
  const more = after(read, told(current({ open: true }, T, 1000)));
  assert.equal(more.past[ID], [run(-2, -1), run(0, 0, { open: true })]);
});

const store = suite('the store');

store('tells of a change with what was before, and of what follows from it after that', () => {
  const changes: [string | undefined, string | undefined][] = [];
  const state = new Store(initial(T));
  state.onChange((now) => {
    if (now.openId === ID) state.dispatch({ type: 'opened', id: OTHER_ID });
  });
  state.onChange((now, before) => changes.push([before.openId, now.openId]));
  state.dispatch({ type: 'opened', id: ID });
  assert.equal(changes, [
    [undefined, ID],
    [ID, OTHER_ID],
  ]);
  assert.is(state.state.openId, OTHER_ID);
});

store('a panel that is away is not late', () => {
  const state = following(away, told(current({})), told(desired(true)));
  assert.is(only(state).differsSince, undefined);
});

panels.run();
pairing.run();
truth.run();
alarm.run();
history.run();
store.run();
