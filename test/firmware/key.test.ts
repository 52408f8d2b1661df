/** The key at the door and the app write one document. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { House } from './house.js';

const armed = (): House => {
  const house = new House().want(true, { exit_delay: 0 });
  assert.is(house.state, 'armed');
  return house;
};
const wished = (house: House): unknown => house.desired?.data.alarm_armed;

test('the key arms with the exit delay and disarms, and desired says so, over the version that the panel saw', () => {
  const house = new House().want(false, { exit_delay: 10 });
  house.key().wait(1);
  assert.is(house.state, 'arming');
  assert.equal([wished(house), house.desired?.version], [true, 2]);
  assert.equal(house.written, [{ version: 1, data: { alarm_armed: true } }]);
  house.wait(10);
  assert.is(house.report.state, 'armed');
  assert.is(house.report.handled, 2);
  house.open('D1').wait(5);
  assert.is(house.report.state, 'pending');
  house.key().wait(1);
  assert.equal([house.report.state, wished(house), house.report.last_alarm], ['disarmed', false, undefined]);
  house.wait(100);
  assert.is(house.written.length, 2, 'each use is written once');
});

test('the key arms in the mode that was taken over last, and without the bypass of an old document', () => {
  const house = new House()
    .want(true, { mode: 'home', bypass: ['W1'], exit_delay: 0 })
    .want(false, { mode: 'home', exit_delay: 0 });
  house.key().wait(1);
  assert.equal([house.report.state, house.report.mode], ['armed', 'home']);
  assert.is(house.report.contacts?.W1?.bypassed, undefined);
  assert.is(house.report.refused, undefined);
});

test('the key does not arm while a window is open, and desired stays as it is', () => {
  const house = new House().want(false).open('W1').key().wait(1);
  assert.is(house.report.state, 'disarmed');
  assert.equal(house.report.refused?.contacts, ['W1']);
  assert.ok(house.board.statuses.at(-1)?.refused);
  assert.is(wished(house), false);
  house.close('W1').wait(100);
  assert.is(house.report.state, 'disarmed');
});

test('an app that writes at the same moment is read, and the later act counts: that of the app', () => {
  const house = armed();
  house.beforeWrite = () => {
    house.beforeWrite = () => undefined;
    house.time += 10;
    house.want(true, { mode: 'home', exit_delay: 0 });
  };
  house.key().wait(2);
  assert.equal([house.report.state, house.report.mode], ['armed', 'home']);
  assert.is(wished(house), true);
});

test('an app that writes other keys at the same moment is read, and the use of the key is written over that', () => {
  const house = armed();
  house.beforeWrite = () => {
    house.beforeWrite = () => undefined;
    house.write({ exit_delay: 7, note: 'x' });
  };
  house.key().wait(2);
  assert.equal([house.report.state, wished(house), house.desired?.data.note], ['disarmed', false, 'x']);
  house.key().wait(6);
  assert.is(house.report.state, 'arming');
  house.wait(2);
  assert.is(house.report.state, 'armed', 'with the new delay');
});

test('a disarming at the door is not undone by an older wish that arrives after an hour without a network', () => {
  const house = new House().want(false).network(false);
  house.want(true).wait(1800);
  house.key().wait(70);
  assert.is(house.state, 'armed');
  house.key().wait(1800);
  house.network(true).wait(60);
  assert.equal([house.report.state, wished(house)], ['disarmed', false]);
  house.wait(1000).powerOff(5).wait(1000);
  assert.equal([house.report.state, wished(house)], ['disarmed', false]);
});

test('a wish that was written after the key was used counts when the network is back', () => {
  const house = armed().network(false).wait(10).key().wait(1800);
  house.want(true, { mode: 'home' }).wait(10).network(true).wait(60);
  assert.equal([house.report.state, house.report.mode, wished(house)], ['arming', 'home', true]);
});

test('a power cut between the use of the key and the network does not lose it', () => {
  const house = armed().network(false);
  house.key().wait(1).powerOff(60).wait(10);
  assert.is(house.state, 'disarmed');
  house.network(true).wait(60);
  assert.equal([house.report.state, wished(house)], ['disarmed', false]);
});

test('a disarming at the door is not undone by an app that changes a delay, nor by a reconnection or a power cut', () => {
  const house = armed().key().wait(1);
  house.write({ entry_delay: 10 }).wait(5).network(false).wait(5).network(true).wait(60).powerOff(5).wait(60);
  assert.equal([house.report.state, wished(house)], ['disarmed', false]);
});

test('an answer that is lost leads to no second act', () => {
  const house = armed();
  house.beforeWrite = () => {
    // The write is carried out, and the connection is lost before the answer.
    house.beforeWrite = () => undefined;
    house.write({ alarm_armed: false });
    house.network(false);
  };
  house.key().wait(5);
  house.network(true).wait(60);
  assert.equal([house.report.state, wished(house)], ['disarmed', false]);
});

test('a server that was restored from a backup neither arms nor disarms, and learns of the next use of the key', () => {
  const house = armed();
  const backup = house.desired;
  house.want(false).want(true, { exit_delay: 0 }).wait(10).network(false);
  house.desired = backup && { ...backup, data: { ...backup.data, alarm_armed: false } };
  house.wait(10).network(true).wait(60);
  assert.is(house.report.state, 'armed');
  assert.is(house.report.refused?.reason, 'older than what was seen before');
  house.key().wait(5);
  assert.equal([house.report.state, wished(house)], ['disarmed', false]);
  house.key().wait(5);
  assert.equal([house.report.alarm_armed, wished(house)], [true, true]);
});

test('a server that refuses each write of desired is asked again with each poll, not in a loop', () => {
  const house = armed();
  house.beforeWrite = () => {
    if (house.desired) house.desired.version += 1;
  };
  house.key().wait(100);
  assert.is(house.report.state, 'disarmed');
  assert.ok(house.written.length <= 12, `${house.written.length} writes in 100 s`);
  house.beforeWrite = () => undefined;
  house.wait(40);
  assert.is(wished(house), false);
});

test('false in a newer version disarms and silences, also where it was false before', () => {
  const house = new House().want(false).open('T1');
  assert.equal([house.report.state, house.report.alarm_armed], ['triggered', true]);
  house.write({ alarm_armed: false });
  assert.equal([house.report.state, house.siren], ['disarmed', false]);
  house.wait(100);
  assert.not.ok(house.siren, 'the contact is still open');
  assert.ok(house.close('T1').open('T1').siren);
});

test('a new request arms again where the value is true already', () => {
  const house = new House().want(true).open('W1');
  assert.is(house.report.state, 'disarmed');
  house.close('W1').write({ exit_delay: 5 }).wait(60);
  assert.is(house.report.state, 'disarmed');
  house.write({ request: 'again' });
  assert.is(house.report.state, 'arming');
});

test('a key that is stuck closed does nothing, and one that bounces counts once', () => {
  const house = armed().close('K1').wait(100);
  assert.is(house.report.state, 'disarmed');
  house.wait(1000);
  assert.is(house.report.state, 'disarmed');
  house.open('K1').wait(1);
  for (let bounce = 0; bounce < 10_000; bounce++) {
    house.level('K1', bounce % 2);
    if (bounce % 10 === 0) house.board.advance(1);
  }
  house.close('K1').wait(1);
  assert.is(house.report.state, 'armed');
});

test('a contact that bounces 10,000 times during a delay neither prolongs nor ends it, and flash is hardly written', () => {
  const house = armed().open('D1');
  const since = house.time;
  const { writes } = house.board.storage;
  for (let bounce = 0; bounce < 10_000; bounce++) {
    house.level('D1', bounce % 2);
    house.wait(0.002);
  }
  house.until(29.8, since);
  assert.is(house.state, 'pending');
  assert.is(house.until(30.2, since).state, 'triggered');
  assert.ok(house.board.storage.writes - writes < 5);
});

test('a clock that jumps during a delay moves nothing but the words', () => {
  const house = new House().want(true);
  const since = house.time;
  house.wait(10);
  house.board.systemClock += 1e9;
  house.until(59.8, since);
  assert.is(house.state, 'arming');
  assert.is(house.until(60.2, since).state, 'armed');
});

test('a wish of 4 KiB is refused and changes nothing', () => {
  const house = armed().write({ alarm_armed: false, note: 'x'.repeat(4096) });
  assert.equal([house.report.state, house.report.refused?.reason], ['armed', 'too long']);
});

for (const [key, value] of [
  ['mode', 'vacation'],
  ['mode', 7],
  ['entry_delay', 301],
  ['entry_delay', '30'],
  ['exit_delay', 1e9],
  ['bypass', 'W1'],
  ['bypass', ['T1']],
  ['bypass', ['K1']],
  ['bypass', [7]],
  ['request', 'x'.repeat(65)],
  ['request', 7],
] as const) {
  test(`${key} ${JSON.stringify(value).slice(0, 20)} is refused with its key, and disarming counts all the same`, () => {
    const house = armed().write({ [key]: value });
    assert.equal(house.report.refused, { reason: 'not a valid value', key });
    assert.equal([house.report.state, house.report.mode], ['armed', 'away']);
    assert.is(house.report.handled, house.desired?.version);
    house.write({ alarm_armed: false });
    assert.is(house.report.state, 'disarmed');
  });
}

test.run();
