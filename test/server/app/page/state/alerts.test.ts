import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Alert,
  type Delivery,
  deliveryText,
  isWaiting,
  lifeText,
  mayAct,
  messageTitle,
  mutedText,
  muteOf,
  NO_NOTICES,
  titleOf,
  withAlert,
} from '../../../../../server/app/page/state/alerts.js';
import { after, connected, following, HOUR, ID, MINUTE, OTHER_ID, T } from './world.js';

const PARIS = { locale: 'en-GB', timeZone: 'Europe/Paris' };
const iso = (at: number): string => new Date(at).toISOString();

const RAISED: Alert = {
  id: 'a',
  panel_id: ID,
  kind: 'triggered',
  panel: 'Front door',
  subject: '',
  title: 'Alarm: Front door',
  state: 'raised',
  raised_at: iso(T),
  acknowledged_at: null,
  acknowledged_by: null,
  resolved_at: null,
};
const SEEN: Alert = {
  ...RAISED,
  state: 'acknowledged',
  acknowledged_at: iso(T + MINUTE),
  acknowledged_by: "Anna's phone",
};
const OVER = { state: 'resolved', resolved_at: iso(T + 5 * MINUTE) } as const;

test('the life of an alert says who has acknowledged it', () => {
  const texts = [RAISED, SEEN, { ...SEEN, ...OVER }, { ...RAISED, ...OVER }].map((alert) =>
    lifeText(alert, T + HOUR, PARIS),
  );
  assert.equal(texts, [
    'Since 13:00. Not acknowledged.',
    "Since 13:00. Acknowledged by Anna's phone, 13:01.",
    "From 13:00 to 13:05. Acknowledged by Anna's phone, 13:01.",
    'From 13:00 to 13:05.',
  ]);
});

test('what is over at once has one time', () => {
  assert.is(lifeText({ ...RAISED, state: 'resolved', resolved_at: iso(T) }, T, PARIS), 'At 13:00.');
});

test('only what is raised waits for a person, and a reader presses nothing', () => {
  assert.equal([RAISED, SEEN, { ...RAISED, ...OVER }].map(isWaiting), [true, false, false]);
  assert.equal((['owner', 'app', 'reader', undefined] as const).map(mayAct), [true, true, false, false]);
});

test('an alert is said by its kind and its panel, whatever the words of the server are', () => {
  const title = (kind: string, subject = '') => titleOf({ ...RAISED, kind, subject });
  assert.is(title('triggered', 'window'), 'Alarm: Front door, window');
  assert.is(title('unreachable'), 'No contact with Front door, which is armed');
  assert.is(title('armed', 'Anna'), 'Front door was armed by Anna');
  assert.is(title('restarted', 'a panel was'), 'The alarm server has restarted while a panel was armed');
  assert.is(title('restarted', '3 panels were'), 'The alarm server has restarted while 3 panels were armed');
  assert.is(title('fault', 'window: line cut'), 'Front door: window line cut');
  assert.is(title('fault', 'flash'), 'Front door: The memory of the panel is at fault.');
  assert.is(title('fault', 'toString'), 'Front door: fault toString');
  assert.is(title('a kind of a newer server'), 'Alarm: Front door');
  assert.is(title('toString'), 'Alarm: Front door');
});

test('a message says whether it is over, a test, or of several alerts', () => {
  const message = {
    kind: 'unreachable',
    panel: 'Front door',
    subject: '',
    title: '',
    telling: 'raised',
    count: 1,
  };
  assert.is(messageTitle({ ...message, count: 7 }), 'No contact with 7 armed panels');
  assert.is(messageTitle({ ...message, kind: 'triggered', telling: 'resolved' }), 'Over: Alarm: Front door');
  assert.is(
    messageTitle({ ...message, kind: 'storage', telling: 'test' }),
    'Test: The alarm server cannot write to its disk',
  );
});

test('an acknowledged alert takes its place in the list', () => {
  const other = { ...RAISED, id: 'b' };
  assert.equal(withAlert([other, RAISED], SEEN), [other, SEEN]);
  assert.equal(withAlert(undefined, SEEN), []);
});

test('a mute holds for its panel until its time', () => {
  const mute = { panel_id: ID, until: iso(T + HOUR), by: 'owner' };
  assert.is(muteOf([mute], ID, T), mute);
  assert.is(muteOf([mute], ID, T + HOUR), undefined);
  assert.is(muteOf([mute], OTHER_ID, T), undefined);
  assert.is(mutedText(mute, T, PARIS), 'Muted until 14:00 by owner.');
});

test('a delivery says what became of it', () => {
  const delivery: Delivery = {
    id: 'd',
    channel: 'phones',
    kind: 'triggered',
    panel: 'Front door',
    subject: '',
    telling: 'raised',
    count: 1,
    title: 'Alarm',
    status: 'delivered',
    attempts: 1,
    at: iso(T),
    reason: null,
  };
  const text = (change: Partial<Delivery>): string => deliveryText({ ...delivery, ...change }, T, PARIS);
  assert.is(text({}), 'delivered, 13:00');
  assert.is(text({ status: 'failed', reason: 'status 403' }), 'not delivered, 13:00: status 403');
  assert.is(text({ status: 'waiting', attempts: 0 }), 'on its way');
  assert.is(text({ status: 'waiting', reason: 'status 500' }), 'tried once: status 500');
  assert.is(text({ status: 'waiting', attempts: 3, reason: 'status 500' }), 'tried 3 times: status 500');
});

test('what is known of alerts ends with the pairing', () => {
  const known = following(connected, { type: 'notices', change: { alerts: [RAISED], push: 'on' } });
  assert.equal([known.notices.alerts, known.notices.push, known.notices.mutes], [[RAISED], 'on', []]);
  assert.is(after(known, { type: 'unpaired' }).notices, NO_NOTICES);
});

test('a screen is open until a panel is opened', () => {
  const open = following(connected, { type: 'screen-opened', screen: 'alerts' });
  assert.is(open.screen, 'alerts');
  assert.is(after(open, { type: 'opened', id: ID }).screen, 'panels');
});

test.run();
