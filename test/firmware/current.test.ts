/** What `current` says beyond the keys that every panel has. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { House } from './house.js';

const ONE = { contacts: [{ name: 'door', kind: 'entry' }] } as const;

test('one contact without delays has no further keys; with a delay it has, and they go with it', () => {
  const house = new House(ONE).write({ alarm_armed: true });
  const plain = ['alarm_armed', 'door_open', 'last_update', 'siren_ringing'];
  assert.equal(Object.keys(house.current).sort(), plain);
  house.write({ exit_delay: 20 });
  assert.equal([house.report.state, house.report.handled], ['armed', 2]);
  assert.equal(house.report.contacts, { door: { open: false, kind: 'entry' } });
  house.write({ exit_delay: 0 });
  assert.equal(Object.keys(house.current).sort(), plain);
});

test('the end of a delay is a date that stays the same, and there is none afterwards', () => {
  const house = new House().want(true);
  const { until } = house.report;
  assert.match(until ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  house.wait(20);
  house.open('D1').wait(0.1);
  assert.is(house.report.until?.slice(0, 19), until?.slice(0, 19));
  assert.is(house.report.remaining, undefined);
  house.close('D1').wait(41);
  assert.equal([house.report.state, house.report.until], ['armed', undefined]);
});

test('while the siren rings, its end is a date that stays the same, and there is none afterwards', () => {
  const house = new House().want(true, { exit_delay: 0 });
  house.open('W1');
  const { until } = house.report;
  assert.match(until ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  house.wait(20);
  assert.equal([house.report.siren_ringing, house.report.until], [true, until]);
  house.close('W1').wait(200);
  assert.equal([house.report.siren_ringing, house.report.until], [false, undefined]);
});

test('a change of mode of an armed panel has no exit delay, and is refused while a contact of the new mode is open', () => {
  const house = new House().want(true, { mode: 'home', exit_delay: 0 }).open('H1');
  house.want(true, { mode: 'away' });
  assert.equal(
    [house.report.state, house.report.mode, house.report.refused?.contacts],
    ['armed', 'home', ['H1']],
  );
  house.close('H1').write({ exit_delay: 50 }).wait(60);
  assert.equal(
    [house.report.mode, house.report.refused],
    ['home', undefined],
    'it does not change later by itself',
  );
  house.want(true, { mode: 'away' });
  assert.equal([house.report.state, house.report.mode], ['armed', 'away']);
  house.open('D1').want(true, { mode: 'night' });
  assert.equal([house.report.state, house.report.mode], ['pending', 'away']);
  assert.is(house.report.refused?.reason, 'not during an alarm');
});

test('a refusal says nothing of the one before it', () => {
  const house = new House()
    .want(true, { bypass: ['nope'] })
    .open('W1')
    .want(true, { bypass: [] });
  assert.equal(house.report.refused, { reason: 'a contact is open', contacts: ['W1'] });
  house.want(false, { mode: 'holiday' as 'home' });
  assert.equal(house.report.refused, { reason: 'not a valid value', key: 'mode' });
});

test('a wish that flash does not take is refused, and tried again with the next poll', () => {
  const house = new House().want(false);
  house.board.storage.before = () => {
    throw new Error('worn out');
  };
  house.want(true);
  assert.equal([house.report.state, house.report.refused?.reason], ['disarmed', 'flash takes no writes']);
  house.board.storage.before = () => undefined;
  house.wait(31);
  assert.is(house.report.state, 'arming');
});

test.run();
