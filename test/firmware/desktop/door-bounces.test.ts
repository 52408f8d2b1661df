import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesktopPanel } from '../../../firmware/desktop/desktop-panel.js';
import { until } from '../../until.js';
import { type OneServer, setUp } from './one-server.js';

const test = suite<OneServer>('a door that bounces, on XS');
setUp(test);

const BOUNCES = 10_000;
/** Longer than this machine may be kept from going on bouncing. */
const DEBOUNCE = 3000;

/** Some edges come one by one, so that the program sees both levels, others while it has no time to look. */
async function bounce(panel: DesktopPanel, thenOpen: boolean): Promise<void> {
  for (let bounces = 0; bounces < BOUNCES; bounces += 1) {
    panel.openDoor();
    if (bounces % 3 === 0) await new Promise((turn) => setImmediate(turn));
    panel.closeDoor();
    if (bounces % 4 === 0) await new Promise((turn) => setImmediate(turn));
  }
  if (thenOpen) panel.openDoor();
}

test(`${BOUNCES} bounces of a door that stays open are one opening`, async ({ bench, server }) => {
  server.armed = true;
  const panel = await bench.panel({ server: server.url, config: { debounce: DEBOUNCE } });
  await panel.until(({ armed, online }) => armed && online);
  await until(() => server.reports.length > 0);
  const states: boolean[] = [];
  panel.onChange(({ doorOpen }) => doorOpen === (states.at(-1) ?? false) || states.push(doorOpen));
  server.reports.length = 0;
  await bounce(panel, true);
  await panel.until(({ sirenRinging }) => sirenRinging);
  await until(() => server.reports.some(({ data }) => data.door_open === true));
  assert.equal(states, [true]);
  assert.is(server.reports.filter(({ data }) => 'door_open' in data).length, 1);
});

test(`${BOUNCES} bounces of a door that stays closed are none`, async ({ bench, server }) => {
  server.armed = true;
  const panel = await bench.panel({ server: server.url, config: { debounce: DEBOUNCE } });
  await panel.until(({ armed, online }) => armed && online);
  await until(() => server.reports.length > 0);
  server.reports.length = 0;
  await bounce(panel, false);
  // What comes after them is reported after them.
  server.desire(false);
  await panel.until(({ armed }) => !armed);
  await until(() => server.reports.length > 0);
  assert.not.ok(panel.state.doorOpen);
  assert.not.ok(server.reports.some(({ data }) => data.door_open === true || data.siren_ringing === true));
});

test.run();
