/** The cases that people report of such panels, on a panel with its server. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { House } from './house.js';

const armed = (mode = 'away', more: object = {}): House => {
  const house = new House().want(true, { mode: mode as 'away', exit_delay: 0, ...more });
  assert.is(house.state, 'armed');
  assert.is(house.report.mode, mode);
  return house;
};

const seen = ({ report }: House): unknown[] => [report.state, report.alarm_armed, report.siren_ringing];
const DISARMED = ['disarmed', false, false];
const ARMED = ['armed', true, false];
const TRIGGERED = ['triggered', true, true];

test('doors that open and close during the exit delay neither prolong it nor ring', () => {
  const house = new House().want(true);
  const since = house.time;
  for (const [at, what] of [
    [5, 'open'],
    [15, 'close'],
    [20, 'open'],
    [30, 'close'],
  ] as const) {
    house.until(at, since)[what]('D1');
    assert.is(house.report.state, 'arming');
  }
  house.until(59.8, since);
  assert.is(house.report.state, 'arming');
  house.until(60.1, since);
  assert.equal(seen(house), ARMED);
  assert.is(house.rung, 0);
  assert.is(house.report.last_alarm, undefined);
});

test('a window that opens during the exit delay refuses the arming at once, and closing it does not arm', () => {
  for (const closes of [false, true]) {
    const house = new House().want(true);
    const since = house.time;
    house.until(10, since).open('W1').until(11, since);
    assert.equal(seen(house), DISARMED);
    assert.equal(house.report.refused, { reason: 'a contact is open', contacts: ['W1'] });
    assert.ok(house.board.statuses.at(-1)?.refused);
    if (closes) house.until(20, since).close('W1');
    house.until(120, since);
    assert.equal(seen(house), DISARMED);
    assert.equal(house.report.refused?.contacts, ['W1']);
  }
});

test('an open window refuses the arming of its modes, and is left out of account in the others', () => {
  const house = new House().open('W1').want(true);
  assert.equal(seen(house), DISARMED);
  assert.equal(house.report.refused, { reason: 'a contact is open', contacts: ['W1'] });
  assert.is(house.report.handled, house.desired?.version);
  house.close('W1').wait(120).powerOff(5).wait(120);
  assert.equal(seen(house), DISARMED, 'it never arms later by itself');
  const home = new House().open('H1').want(true, { mode: 'home' });
  assert.is(home.report.state, 'arming');
  assert.is(home.report.refused, undefined);
});

test('without delays the panel is armed at once and rings at once', () => {
  const house = new House().want(true, { exit_delay: 0, entry_delay: 0 });
  assert.equal(seen(house), ARMED);
  assert.equal(seen(house.open('D1')), TRIGGERED);
});

test('each mode has its delays, and arming needs no door that moves', () => {
  const night = new House().want(true, { mode: 'night' });
  const since = night.time;
  assert.equal([night.report.state, night.report.mode], ['arming', 'night']);
  night.until(59.8, since);
  assert.equal(night.states, ['disarmed', 'arming']);
  const home = armed('home').open('D1');
  assert.equal([home.report.state, home.report.mode], ['pending', 'home']);
  const away = new House().want(true).wait(61);
  assert.equal([away.report.state, away.report.mode], ['armed', 'away']);
});

test('the same wish written again neither restarts the exit delay nor begins one', () => {
  const house = new House().want(true);
  const since = house.time;
  house.until(30, since).write({}).until(60.1, since);
  assert.equal(seen(house), ARMED);
  house.write({}).wait(1);
  assert.equal(seen(house), ARMED);
  assert.is(house.open('D1').report.state, 'pending');
});

test('a window sounds the siren three times, current reports each trip, others still sound it, and the count ends with the disarming', () => {
  const house = armed();
  for (let trip = 1; trip <= 5; trip++) {
    house.open('W1');
    assert.is(house.siren, trip <= 3, `trip ${trip}`);
    assert.is(house.report.contacts?.W1?.open, true);
    house.wait(181).close('W1');
    assert.equal(seen(house), ARMED);
    assert.is(house.report.contacts?.W1?.open, false);
  }
  assert.ok(house.open('W2').siren);
  house.close('W2').want(false).want(true, { exit_delay: 0 });
  assert.equal(house.state, 'armed');
  assert.ok(house.open('W1').siren);
});

test('current names what trips during an alarm in its order, and the siren rings no longer for it', () => {
  const house = armed();
  const since = house.time;
  house.open('W1').until(10, since).open('D1').until(20, since).open('H1');
  assert.equal(house.report.last_alarm?.contacts, ['W1', 'D1', 'H1']);
  house.until(179.9, since);
  assert.ok(house.siren);
  house.until(180.2, since);
  assert.not.ok(house.siren);
  house.wait(200);
  assert.not.ok(house.siren);
});

test('a window that opens for a moment rings on, and a bounce does not ring', () => {
  const house = armed();
  house.level('W1', 1);
  house.board.advance(15);
  house.level('W1', 0);
  house.wait(1);
  assert.equal(seen(house), ARMED);
  house.open('W1').wait(0.4).close('W1').wait(5);
  assert.equal(seen(house), TRIGGERED);
});

test('the memory of an alarm outlives the disarming, a power cut and a refused arming, until one succeeds', () => {
  const house = armed().open('W1').wait(1).want(false);
  assert.not.ok(house.siren);
  house.powerOff(5).wait(10);
  assert.equal(house.report.last_alarm?.contacts, ['W1']);
  house.want(true);
  assert.equal(house.report.refused?.contacts, ['W1']);
  assert.equal(house.report.last_alarm?.contacts, ['W1']);
  house.close('W1').want(true).wait(30);
  assert.equal(house.report.last_alarm?.contacts, ['W1'], 'the arming may still be refused');
  house.wait(31);
  assert.is(house.report.last_alarm, undefined);
});

test('a contact that is bypassed is shown so and left out until the disarming', () => {
  const house = new House().open('W1').want(true, { bypass: ['W1'] });
  assert.is(house.report.state, 'arming');
  assert.ok(house.report.contacts?.W1?.bypassed);
  house.wait(61).close('W1').open('W1');
  assert.equal(seen(house), ARMED);
  house.powerOff(5).wait(10);
  assert.equal(seen(house), ARMED);
  house.want(false);
  assert.is(house.report.contacts?.W1?.bypassed, undefined);
});

test('a bypass is no part of an armed period that has begun, and only contacts that are there have one', () => {
  const house = armed().write({ bypass: ['W1'] });
  assert.equal(house.report.refused, { reason: 'not while armed', key: 'bypass' });
  assert.is(house.report.contacts?.W1?.bypassed, undefined);
  assert.equal(seen(house.open('W1')), TRIGGERED);
  const disarmed = new House().want(true, { bypass: ['nope'] });
  assert.equal(disarmed.report.refused, { reason: 'not a valid value', key: 'bypass' });
  assert.equal(seen(disarmed), DISARMED);
});

test('a power cut leaves an armed panel armed and silent, time and again', () => {
  const house = armed();
  for (let cut = 0; cut < 2; cut++) {
    house.powerOff(5).wait(10);
    assert.equal([seen(house), house.report.mode], [ARMED, 'away']);
    house.wait(600);
  }
  assert.is(house.rung, 0);
});

test('a power cut during the exit delay ends in an armed panel within the delay', () => {
  const house = new House().want(true).wait(20).powerOff(10).wait(1);
  assert.is(house.state, 'arming');
  house.wait(59.5);
  assert.equal([seen(house), house.report.mode], [ARMED, 'away']);
});

test('a siren rings on after each power cut for what is left of its time', () => {
  const house = armed().open('W1').wait(60);
  for (let cut = 0; cut < 4; cut++) {
    house.powerOff(5).wait(5);
    assert.ok(house.siren);
    assert.equal(house.report.last_alarm?.contacts, ['W1']);
  }
  house.wait(300);
  assert.not.ok(house.siren);
  assert.ok(house.rung <= 205_000 && house.rung >= 150_000, `${house.rung} ms`);
  assert.equal(seen(house), ARMED);
});

test('without a network the entry delay, the siren and the key work, and the server learns of it afterwards', () => {
  const house = armed().network(false);
  const since = house.time;
  house.open('D1').until(29.9, since);
  assert.is(house.state, 'pending');
  house.until(30.2, since);
  assert.ok(house.siren);
  house.until(50, since).key();
  assert.not.ok(house.siren);
  house.until(120, since).network(true).wait(10);
  assert.equal(seen(house), DISARMED);
  assert.equal(house.report.last_alarm?.contacts, ['D1']);
  assert.is(house.desired?.data.alarm_armed, false);
});

test('without a network for half an hour nothing changes but last_update', () => {
  const house = armed();
  const { last_update } = house.report;
  house.network(false).wait(1800);
  assert.is(house.report.last_update, last_update);
  assert.is(house.state, 'armed');
  assert.is(house.board.restarts, 0);
  house.network(true).wait(10);
  assert.equal(seen(house), ARMED);
  assert.is.not(house.report.last_update, last_update);
});

test('of three wishes that are written while the network is off only the last one counts, with its full exit delay', () => {
  const house = new House().network(false).want(true).want(false).want(true, { mode: 'home' }).wait(3600);
  house.network(true);
  while (house.report.state !== 'arming') house.wait(0.1);
  const since = house.time;
  house.until(59, since);
  assert.is(house.state, 'arming');
  house.until(61, since);
  assert.equal([seen(house), house.report.mode], [ARMED, 'home']);
  assert.not.ok(house.modes.has('away'));
});

test('only a new closing of the key counts, also after a power cut; during an alarm it disarms and does not arm', () => {
  const house = armed();
  house.level('K1', 0);
  house.powerOff(5).wait(5);
  assert.equal(seen(house), ARMED);
  house.open('K1').wait(5);
  assert.equal(seen(house), ARMED);
  house.open('W1');
  assert.equal(seen(house), TRIGGERED);
  assert.equal(seen(house.key()), DISARMED);
  assert.equal(seen(house.wait(2)), DISARMED);
});

test('a running delay keeps its length, and a delay that is no valid one changes nothing', () => {
  const house = armed().open('D1');
  const since = house.time;
  house.until(5, since).write({ entry_delay: 5 }).until(29.8, since);
  assert.is(house.state, 'pending');
  assert.is(house.until(30.1, since).state, 'triggered');
  for (const value of [-1, 'abc', 400, '30', 1e9, [1]]) {
    house.write({ exit_delay: value });
    assert.equal(house.report.refused, { reason: 'not a valid value', key: 'exit_delay' });
  }
  house.want(false).want(true, { exit_delay: 7 }).write({ exit_delay: -1 }).want(false, { exit_delay: -1 });
  house.close('D1').want(true, { exit_delay: -1 }).wait(6.5);
  assert.is(house.state, 'arming', 'the old delay stays');
  assert.is(house.wait(1).state, 'armed');
});

test.run();
