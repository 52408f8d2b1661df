import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AccessPoint, Station, type WiFi } from '../../../../firmware/boards/sdk/station.js';
import { MemoryTimers } from '../../memory-board.js';

const SECOND = 1000;
const HOME: AccessPoint = { SSID: 'home', password: 'secret' };
const RULES = { wifiInterval: 2 * SECOND, wifiPatience: 30 * SECOND };
const ADDRESS = '192.168.1.7';
const LINK_LOCAL = 'fe80::1';

/** The SDK's Wi-Fi, as the test plays it. */
class MemoryWiFi implements WiFi {
  connection = 200;
  address: string | undefined;
  readonly asked: AccessPoint[] = [];
  disconnects = 0;
  /** Thrown by the next calls of `connect`. */
  error: Error | undefined;

  connect(accessPoint: AccessPoint): void {
    this.asked.push(accessPoint);
    if (this.error !== undefined) throw this.error;
    this.connection = 300;
  }

  disconnect(): void {
    this.disconnects += 1;
    this.connection = 200;
    this.address = undefined;
  }
}

function station() {
  const wifi = new MemoryWiFi();
  const timers = new MemoryTimers();
  const lines: string[] = [];
  const onlines: boolean[] = [];
  let onChanged = (): void => {};
  const made: Station = new Station(HOME, RULES, {
    open(callback) {
      onChanged = callback;
      return wifi;
    },
    timers,
    ticks: () => timers.ticks,
    trace: (line) => lines.push(line),
    onChange: () => onlines.push(made.online),
  });
  return {
    wifi,
    timers,
    lines,
    onlines,
    station: made,
    /** The state changes, and the SDK tells. */
    become(connection: number, address?: string) {
      Object.assign(wifi, { connection, address });
      onChanged();
    },
  };
}

function online() {
  const all = station();
  all.become(400);
  all.become(500, ADDRESS);
  return all;
}

test('a station asks for its access point at once, and is online when it has an address', () => {
  const { wifi, station: made, become, onlines } = station();
  assert.equal(wifi.asked, [HOME]);
  become(400);
  assert.not.ok(made.online);
  become(500, ADDRESS);
  assert.ok(made.online);
  assert.equal(onlines, [true]);
});

test('an address is enough, also where the other kind never comes', () => {
  const { station: made, become } = station();
  become(400, ADDRESS);
  assert.ok(made.online);
});

test('an address of IPv6 alone is none', () => {
  const { station: made, become } = station();
  become(400, LINK_LOCAL);
  assert.not.ok(made.online);
});

test('every gain and every loss is reported once, however often the SDK reports it', () => {
  const { become, onlines } = online();
  become(500, ADDRESS);
  become(200);
  become(200);
  become(500, ADDRESS);
  assert.equal(onlines, [true, false, true]);
});

test('a station that is not let in asks again, every two seconds, for ever', () => {
  const { wifi, timers, become } = station();
  for (let attempt = 0; attempt < 500; attempt++) {
    become(200);
    timers.advance(RULES.wifiInterval);
  }
  assert.is(wifi.asked.length, 501);
  become(500, ADDRESS);
  timers.advance(60 * SECOND);
  assert.is(wifi.asked.length, 501);
});

test('without an access point the station waits, and comes online when there is one', () => {
  const { wifi, timers, become, station: made } = station();
  become(200);
  timers.advance(600 * SECOND);
  assert.ok(wifi.asked.length > 10);
  become(500, ADDRESS);
  assert.ok(made.online);
});

test('an attempt that comes to no end is ended, and another one begun', () => {
  const { wifi, timers, lines } = station();
  timers.advance(RULES.wifiPatience);
  assert.is(wifi.disconnects, 1);
  assert.match(lines.at(-1) ?? '', 'no address in time');
  timers.advance(RULES.wifiInterval);
  assert.is(wifi.asked.length, 2);
});

test('a station that is let in and gets no address begins anew', () => {
  const { wifi, timers, become } = station();
  timers.advance(10 * SECOND);
  become(400, LINK_LOCAL);
  timers.advance(RULES.wifiPatience);
  assert.is(wifi.disconnects, 1);
  timers.advance(RULES.wifiInterval);
  assert.is(wifi.asked.length, 2);
});

test('an address that is lost without a word is noticed, and asked for anew at once', () => {
  const { wifi, timers, onlines } = online();
  timers.advance(3600 * SECOND);
  wifi.address = LINK_LOCAL;
  timers.advance(RULES.wifiInterval);
  assert.equal(onlines, [true, false]);
  assert.is(wifi.disconnects, 1);
  timers.advance(RULES.wifiInterval);
  assert.is(wifi.asked.length, 2);
});

test('a change that the SDK does not tell of is noticed', () => {
  const { wifi, timers, station: made } = station();
  Object.assign(wifi, { connection: 500, address: ADDRESS });
  timers.advance(RULES.wifiInterval);
  assert.ok(made.online);
});

test('a Wi-Fi that throws is asked again', () => {
  const { wifi, timers, become, lines, station: made } = station();
  become(200);
  wifi.error = new Error('already connecting');
  timers.advance(3 * RULES.wifiInterval);
  assert.is(lines.filter((line) => line.includes('already connecting')).length, 3);
  wifi.error = undefined;
  timers.advance(RULES.wifiInterval);
  become(500, ADDRESS);
  assert.ok(made.online);
});

test.run();
