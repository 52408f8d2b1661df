import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Link } from '../../../../../server/app/page/state/app.js';
import {
  headlineOf,
  knownUntil,
  lastAlarmText,
  retryText,
  ringingText,
  sirenLeftText,
  sureText,
} from '../../../../../server/app/page/state/headline.js';
import { newPanel, withDocument } from '../../../../../server/app/page/state/panel.js';
import type { CurrentDocument } from '../../../../../shared/panel.js';
import { after, away, connected, current, following, HOUR, ID, MINUTE, SECOND, T } from './world.js';

const PARIS = { locale: 'en-GB', timeZone: 'Europe/Paris' };
const AT = new Date(T).toISOString();
const LIVE: Link = { kind: 'live', since: T };

const textOf = (last_alarm: CurrentDocument['last_alarm'], now: number, ringing = false) => {
  const more = last_alarm === undefined ? {} : { last_alarm };
  return lastAlarmText(withDocument(connected, current({ ringing, more })), now, PARIS);
};

const TWO: CurrentDocument['contacts'] = {
  door: { open: false, kind: 'entry' },
  window: { open: false, kind: 'instant' },
};

test('the word is the state of the panel, with the mode that it is armed in', () => {
  const word = (more: Partial<CurrentDocument>, armed = true, ringing = false) =>
    headlineOf(withDocument(connected, current({ armed, ringing, more })), LIVE).word;
  assert.is(word({}), 'Armed');
  assert.is(word({ state: 'armed', mode: 'home' }), 'Armed');
  assert.is(word({ state: 'armed', mode: 'home', contacts: TWO }), 'Armed: Home');
  assert.is(word({ state: 'arming', mode: 'home', contacts: TWO }), 'Arming');
  assert.is(word({ state: 'pending', mode: 'away' }), 'Disarm now');
  assert.is(word({ state: 'triggered', mode: 'away' }, true, true), 'Alarm');
  assert.is(word({ state: 'disarmed', mode: 'away' }, false), 'Disarmed');
});

test('the last alarm is said with its time and the contacts in the order in which they tripped', () => {
  const alarm = { contacts: ['front door', 'kitchen window'], at: AT };
  assert.is(textOf(alarm, T + HOUR), 'Rang at 13:00: front door, kitchen window');
  assert.is(textOf(alarm, T + 20 * HOUR), 'Rang yesterday, 13:00: front door, kitchen window');
  assert.is(textOf(alarm, T + 50 * HOUR), 'Rang Mon 2 Mar, 13:00: front door, kitchen window');
});

test('an alarm that still rings is said as such', () => {
  assert.is(textOf({ contacts: ['door'], at: AT }, T + MINUTE, true), 'Ringing since 13:00: door');
  assert.is(
    textOf({ contacts: ['door'], at: AT }, T + 20 * HOUR, true),
    'Ringing since yesterday, 13:00: door',
  );
});

test('an alarm of a panel that did not know the time is said without one', () => {
  for (const alarm of [{ contacts: ['door'] }, { contacts: ['door'], at: 'noon' }]) {
    assert.is(textOf(alarm, T), 'Rang: door');
    assert.is(textOf(alarm, T, true), 'Ringing: door');
  }
});

test('without an alarm since the last arming nothing is said', () => {
  assert.is(textOf(undefined, T), undefined);
  assert.is(lastAlarmText(connected, T), undefined);
});

const PLACE = { locale: 'en-GB', timeZone: 'UTC' };

const sure = (panel: typeof connected, link: Link) =>
  sureText(panel, link, { phone: T, server: T + HOUR }, PLACE);

test('says that the panel is there', () => {
  assert.is(sure(connected, LIVE), 'Panel connected');
});

test("says since when the panel is lost, by the server's clock", () => {
  assert.is(sure(away, LIVE), 'No contact with the panel since 11:00 (2 h ago).');
  assert.match(sure(newPanel(ID, 'new', { isConnected: false }), LIVE), 'has not been connected yet');
});

test("says since when the server is lost, by the phone's clock, whatever was with the panel", () => {
  const lost: Link = { kind: 'lost', since: T - 5 * MINUTE };
  assert.match(sure(connected, lost), 'No connection to the server since 11:55');
  assert.match(sure(away, lost), 'No connection to the server since 11:55');
  assert.match(sure(connected, { kind: 'connecting', since: T }), 'Connecting');
});

const RINGING = withDocument(connected, current({ armed: true, ringing: true }, T - MINUTE));

test('a siren is said to ring for as long as it is heard', () => {
  const state = following(RINGING, { type: 'ticked', now: T + 5 * SECOND });
  assert.is(knownUntil(state, RINGING), undefined);
  assert.is(ringingText(state, RINGING, T - 65 * SECOND, PARIS), 'Since 12:58:55, for 1 min.');
});

test('without the server it is said for how long it surely rang, and no counter goes on', () => {
  const lost = { type: 'link', kind: 'lost', now: T + SECOND } as const;
  const state = after(following(RINGING), lost, { type: 'ticked', now: T + 5 * MINUTE });
  assert.is(knownUntil(state, RINGING), T + SECOND);
  assert.is(
    ringingText(state, RINGING, T - MINUTE, PARIS),
    'It rang from 12:59:00 to 13:00:01 at least; that was 4 min ago.',
  );
  assert.is(ringingText(state, RINGING, undefined, PARIS), 'Last heard at 13:00:01, 4 min ago.');
});

test('a phone that starts without the server knows what the last report said, and no more', () => {
  const state = { ...after(following(RINGING), { type: 'link', kind: 'lost', now: T }), isListed: false };
  assert.is(knownUntil(state, RINGING), T - MINUTE);
});

test('a panel that is away is known until it was heard last', () => {
  const panel = { ...RINGING, presence: { isConnected: false, at: T - 2 * SECOND } };
  assert.is(knownUntil(following(panel), panel), T - 2 * SECOND);
});

test('how long the siren still rings is said while it is heard and the panel tells it', () => {
  const until = new Date(T + 90 * SECOND).toISOString();
  const panel = withDocument(connected, current({ armed: true, ringing: true, more: { until } }));
  const state = following(panel);
  assert.is(sirenLeftText(state, panel), 'It stops by itself in 1 min.');
  assert.is(sirenLeftText(state, RINGING), '');
  assert.is(sirenLeftText(after(state, { type: 'ticked', now: T + 90 * SECOND }), panel), '');
  assert.is(sirenLeftText(after(state, { type: 'link', kind: 'lost', now: T }), panel), '');
});

test('a lost server is tried again at a time that is said', () => {
  assert.is(retryText({ kind: 'lost', since: T, retryAt: T + 1500 }, T), 'Next try in 2 s.');
  assert.is(retryText({ kind: 'lost', since: T, retryAt: T + 1500 }, T + 1500), 'Trying now …');
  assert.is(retryText({ kind: 'lost', since: T }, T), 'Trying now …');
  assert.is(retryText(LIVE, T), '');
});

test.run();
