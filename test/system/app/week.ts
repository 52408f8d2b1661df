/** A week in the life of a panel, as the server would have recorded it, written into its data directory while it is stopped. */

import { pino } from 'pino';
import { readSettings } from '../../../server/config.js';
import { openStorage } from '../../../server/storage/journaled.js';
import { isTwinFile, Twins } from '../../../server/twins/twins.js';
import type { CurrentDocument } from '../../../shared/panel.js';
import { keepInDirectory } from '../../database-under-test.js';

keepInDirectory();

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
/** How often a connected panel speaks. */
const REFRESH = 50 * SECOND;

/** What happens every day, at hours of the day before now. */
const DAILY: readonly [hour: number, change: Partial<CurrentDocument>][] = [
  [1.5, { alarm_armed: true }],
  [9, { alarm_armed: false }],
  [9.4, { door_open: true }],
  [9.5, { door_open: false }],
  [10.2, { door_open: true }],
  [10.25, { door_open: false }],
  [10.3, { alarm_armed: true }],
  [19.6, { alarm_armed: false }],
  [19.7, { door_open: true }],
  [19.75, { door_open: false }],
  [22.1, { door_open: true }],
  [22.3, { door_open: false }],
];

/** Yesterday somebody came. */
const ONCE: readonly [hour: number, change: Partial<CurrentDocument>][] = [
  [-9.5, { door_open: true, siren_ringing: true }],
  [-9.48, { door_open: false }],
  [-9.3, { siren_ringing: false }],
];

/** In hours before now. */
const WITHOUT_CONTACT = [
  { from: 17.2, to: 16.4 },
  { from: 75, to: 64 },
];

export async function writeWeek(data: string, deviceId: string, now: number): Promise<void> {
  const settings = readSettings({ TWIN_DATA: data });
  let clock = now;
  const storage = await openStorage({ ...settings, now: () => clock }, pino({ level: 'silent' }), isTwinFile);
  const twins = new Twins(storage);
  const put = (data: CurrentDocument): Promise<void> =>
    new Promise((done, failed) => {
      const request = { version: 0, data: { ...data } };
      twins.put(deviceId, 'current', request, (error) => (error === null ? done() : failed(error)));
    });
  let state: CurrentDocument = { alarm_armed: false, siren_ringing: false, door_open: false };
  const writes: Promise<void>[] = [];
  // What is put while the twin's file is being opened is put later.
  await new Promise<void>((opened) => twins.list(deviceId, () => opened()));
  for (const [at, change] of moments(now)) {
    clock = at;
    state = { ...state, ...change, last_update: new Date(at).toISOString() };
    writes.push(put(state));
  }
  await Promise.all(writes);
  await storage.close();
}

/** When the panel speaks, and what is another since it spoke last; oldest first. */
function moments(now: number): [at: number, change: Partial<CurrentDocument>][] {
  const days = Array.from({ length: 7 }, (_, day) => now - (day + 1) * DAY);
  const changes = days.flatMap((day) => DAILY.map(([hour, change]) => [day + hour * HOUR, change] as const));
  const once = ONCE.map(([hour, change]) => [now + hour * HOUR, change] as const);
  const refreshes = Array.from(
    { length: (7 * DAY) / REFRESH },
    (_, n) => [now - (n + 1) * REFRESH, {}] as const,
  );
  return [...changes, ...once, ...refreshes]
    .filter(([at]) => !WITHOUT_CONTACT.some(({ from, to }) => at > now - from * HOUR && at < now - to * HOUR))
    .map(([at, change]): [number, Partial<CurrentDocument>] => [at, change])
    .sort(([one], [other]) => one - other);
}
