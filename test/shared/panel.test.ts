import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isCurrentDocument } from '../../shared/current-document.js';
import { isDesiredDocument } from '../../shared/panel.js';

const test = suite('panel documents');

const CURRENT = { alarm_armed: true, siren_ringing: false, door_open: false };

test('desired says whether the alarm shall be armed, and may say more', () => {
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
