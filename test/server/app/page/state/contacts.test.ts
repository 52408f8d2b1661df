import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  bypassText,
  contactFacts,
  contactsText,
  delayText,
  inTheWay,
  modeOf,
  rangText,
  secondsLeft,
} from '../../../../../server/app/page/state/contacts.js';
import { withDocument } from '../../../../../server/app/page/state/panel.js';
import type { CurrentDocument } from '../../../../../shared/panel.js';
import { connected, current, SECOND, T } from './world.js';

const saying = (more: Partial<CurrentDocument>, open = false) =>
  withDocument(connected, current({ open, more }));

const CONTACTS: CurrentDocument['contacts'] = {
  'front door': { open: true, kind: 'entry' },
  window: { open: false, kind: 'instant', bypassed: true },
  smoke: { open: false, kind: 'always', fault: 'cut' },
  switch: { open: true, kind: 'key' },
};

test('a panel with one contact shows its door', () => {
  assert.equal(
    [connected, saying({}), saying({}, true)].map((panel) => contactFacts(panel).map(({ text }) => text)),
    [['Door unknown'], ['Door closed'], ['Door open']],
  );
});

test('each contact is shown by its name, and a key switch is not', () => {
  assert.equal(contactFacts(saying({ contacts: CONTACTS })), [
    { name: 'front door', isOpen: true, text: 'Front door open' },
    { name: 'window', isOpen: false, text: 'Window closed, left out' },
    { name: 'smoke', isOpen: true, text: 'Smoke line cut' },
  ]);
});

test('several contacts in one sentence are those that are open', () => {
  assert.is(contactsText(saying({ contacts: CONTACTS })), 'Front door open, Smoke line cut');
  const closed = { door: { open: false, kind: 'entry' }, window: { open: false, kind: 'instant' } } as const;
  assert.is(contactsText(saying({ contacts: closed })), 'All closed');
});

test('what rang is said in the order in which it tripped', () => {
  const last_alarm = { contacts: ['window', 'front door'] };
  assert.is(rangText(saying({ contacts: CONTACTS, last_alarm })), 'What rang: window, front door');
  assert.is(rangText(saying({ last_alarm: { contacts: ['door'] } }, true)), 'Door open');
});

test('a panel with several contacts has modes, and begins with the last one', () => {
  assert.is(modeOf(saying({})), undefined);
  const one = { door: { open: false, kind: 'entry' }, key: { open: true, kind: 'key' } } as const;
  assert.is(modeOf(saying({ contacts: one, mode: 'away' })), undefined);
  assert.is(modeOf(saying({ contacts: CONTACTS })), 'away');
  assert.is(modeOf(saying({ contacts: CONTACTS, mode: 'night' })), 'night');
});

test('a delay counts down to its end, by the time of its end or by what is left of it', () => {
  const until = saying({ state: 'arming', until: new Date(T + 30 * SECOND).toISOString() });
  const remaining = saying({ state: 'arming', remaining: 30 });
  for (const panel of [until, remaining]) {
    const left = [0, 500, 29_001, 30_000, 99_000].map((ms) => secondsLeft(panel, T + ms));
    assert.equal(left, [30, 30, 1, 0, 0]);
  }
  assert.is(secondsLeft(saying({ until: 'noon' }), T), undefined);
  assert.is(secondsLeft(connected, T), undefined);
});

test('a running delay says what to do', () => {
  assert.is(delayText(saying({ state: 'arming', remaining: 5 }), T), 'Leave now: 5 s left.');
  assert.is(
    delayText(saying({ state: 'pending', remaining: 5 }), T),
    'Disarm, or the siren rings: 5 s left.',
  );
  assert.is(delayText(saying({ state: 'pending' }), T), 'Disarm, or the siren rings.');
  assert.is(delayText(saying({ state: 'armed' }), T), '');
  assert.is(delayText(connected, T), '');
});

test('only open contacts that the panel knows can be left out', () => {
  const refused = (reason: string, contacts?: string[]) =>
    inTheWay(saying({ contacts: CONTACTS, refused: { reason, ...(contacts && { contacts }) } }));
  assert.equal(refused('a contact is open', ['window', 'toString']), ['window']);
  assert.equal(refused('a contact is open'), []);
  assert.equal(refused('not a valid value', ['window']), []);
  assert.equal(inTheWay(connected), []);
});

test('names are joined as a person says them', () => {
  assert.is(bypassText(['window']), 'Arm without window');
  assert.is(bypassText(['window', 'side door', 'hatch']), 'Arm without window, side door, and hatch');
});

test.run();
