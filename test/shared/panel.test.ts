import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isCurrentDocument, legible } from '../../shared/current-document.js';
import { type CurrentDocument, isDesiredDocument } from '../../shared/panel.js';

const test = suite('panel documents');

const CURRENT = { alarm_armed: true, siren_ringing: false, door_open: false };

test('desired says whether the alarm is to be armed, and may say more', () => {
  assert.ok(isDesiredDocument({ alarm_armed: false }));
  assert.ok(isDesiredDocument({ alarm_armed: true, note: 'holiday' }));
});

for (const value of [
  null,
  undefined,
  [],
  'x',
  1,
  {},
  { alarm_armed: 1 },
  { alarm_armed: 'true' },
  { alarm_armed: null },
]) {
  test(`is no desired document :: ${JSON.stringify(value)}`, () => assert.not.ok(isDesiredDocument(value)));
}

test('current needs its three flags, and may lack the time', () => {
  assert.ok(isCurrentDocument(CURRENT));
  assert.ok(isCurrentDocument({ ...CURRENT, last_update: '2026-11-23T00:00:00Z' }));
});

test('current keeps its optional keys where they have the form of the protocol, and every other key', () => {
  const whole = {
    ...CURRENT,
    state: 'pending',
    mode: 'night',
    until: '2026-11-23T00:00:30Z',
    remaining: 30,
    contacts: {
      door: { open: true, kind: 'entry' },
      window: { open: false, kind: 'instant', bypassed: true },
      line: { open: false, kind: 'always', fault: 'cut' },
    },
    last_alarm: { contacts: ['door'], at: '2026-11-23T00:00:00Z' },
    refused: { reason: 'open', key: 'mode', contacts: ['door'] },
    handled: 3,
    fault: 'flash',
    constructor: 'plain data',
  };
  assert.equal(legible(whole as CurrentDocument), whole as CurrentDocument);
  assert.equal(legible(CURRENT), CURRENT);
});

test('current counts without an optional key that has another form', () => {
  for (const wrong of [
    { state: 'busy' },
    { mode: 'holiday' },
    { until: 5 },
    { remaining: '5' },
    { contacts: ['door'] },
    { contacts: { door: true } },
    { contacts: { door: { open: 1, kind: 'entry' } } },
    { contacts: { door: { open: true, kind: 'gate' } } },
    { contacts: { door: { open: true, kind: 'entry', bypassed: 'yes' } } },
    { contacts: { door: { open: true, kind: 'entry', fault: 'wet' } } },
    { last_alarm: null },
    { last_alarm: { contacts: 'door' } },
    { last_alarm: { contacts: [1] } },
    { last_alarm: { contacts: [], at: 5 } },
    { refused: 'no' },
    { refused: {} },
    { refused: { reason: 'open', key: 1 } },
    { refused: { reason: 'open', contacts: 'door' } },
    { handled: '3' },
    { fault: null },
    { fault: ['flash'] },
  ]) {
    const value: object = { ...CURRENT, ...wrong };
    assert.ok(isCurrentDocument(value));
    assert.equal(legible(value), CURRENT);
  }
});

for (const value of [
  null,
  [],
  {},
  { ...CURRENT, last_update: 5 },
  { ...CURRENT, door_open: 'no' },
  { alarm_armed: true },
]) {
  test(`is no current document :: ${JSON.stringify(value)}`, () => assert.not.ok(isCurrentDocument(value)));
}

test.run();
