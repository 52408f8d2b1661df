/**
 * `npm run test:homeassistant`: a real Home Assistant shows a panel on XS, and arms it. It is run by hand and nightly. Where
 * Python or Home Assistant cannot be had, it says so and ends.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { pathOf } from '../programs.js';
import { mosquitto } from '../server/homeassistant/mosquitto.js';
import { startProgram } from '../system/process.js';
import { createDevice, startServer } from '../system/server.js';
import { automations, DASHBOARD } from './configuration.js';
import { startHomeAssistant } from './home-assistant.js';
import { installHomeAssistant } from './installed.js';
import { measureReports } from './measure.js';
import { takePicture } from './picture.js';

const PANEL = 'House';
const WINDOW = `${PANEL} window`;
const REFUSED = `${PANEL} Refused order`;
const CONTACTS = ['front door:entry', 'window:instant', 'key switch:key'];
/** Long enough that Home Assistant shows the states between. */
const DELAYS = { exit_delay: 3, entry_delay: 3 };
const REPORTS = 100;

const endings: (() => unknown)[] = [];

function step(text: string): void {
  console.log(`ok   ${text}`);
}

async function run(bin: string): Promise<void> {
  const broker = await mosquitto();
  endings.push(broker.remove);
  await broker.start();
  const server = await startServer({ env: { TWIN_HOMEASSISTANT: broker.url } });
  endings.push(() => server.stop());
  const device = await createDevice(server, PANEL);
  const directory = mkdtempSync(join(tmpdir(), 'panel-'));
  endings.push(() => rmSync(directory, { recursive: true }));
  const panel = startProgram([
    ...[process.execPath, '--import', 'tsx', 'firmware/desktop/command-line.ts', '--json'],
    ...CONTACTS.flatMap((contact) => ['--contact', contact]),
    ...['--server', server.mqtt, '--device', device.id, '--password', device.password],
    ...['--flash', join(directory, 'flash.json')],
  ]);
  endings.push(() => panel.stop('SIGKILL'));
  await panel.line((line) => line.includes('"online":true') || undefined);
  const home = await startHomeAssistant(
    bin,
    broker,
    automations('alarm_control_panel.house', 'house'),
    DASHBOARD,
  );
  endings.push(home.close);

  const { entity_id: target } = await home.shows(PANEL, 'disarmed');
  for (const [name, state] of [
    [`${PANEL} front door`, 'off'],
    [WINDOW, 'off'],
    [`${PANEL} Siren`, 'off'],
    [`${PANEL} Problem`, 'off'],
    [`${PANEL} Connection`, 'on'],
  ] as const) {
    await home.shows(name, state);
  }
  assert.is((await home.entity(WINDOW)).attributes.device_class, 'window');
  step('the panel and all its entities show up by themselves');

  const path = `/twins/${device.id}/documents/desired`;
  const body = JSON.stringify({ data: { alarm_armed: false, ...DELAYS } });
  assert.ok((await server.api(path, { method: 'PUT', body })).ok);
  const states: string[] = [];
  const stop = await home.onChange((entityId, state) => {
    if (entityId === target && state !== states.at(-1)) states.push(state);
  });
  await home.call('alarm_control_panel', 'alarm_arm_home', { entity_id: target });
  await home.shows(PANEL, 'armed_home');
  assert.is((await home.entity(PANEL)).attributes.armed_by, 'Home Assistant');
  step('arming there arms the panel, after its exit delay');
  panel.type('open front door');
  await home.shows(PANEL, 'triggered');
  await home.shows(`${PANEL} Siren`, 'on');
  await home.shows(`${PANEL} front door`, 'on');
  await home.call('alarm_control_panel', 'alarm_disarm', { entity_id: target });
  await home.shows(PANEL, 'disarmed');
  stop();
  assert.equal(states, ['arming', 'armed_home', 'pending', 'triggered', 'disarmed']);
  step(`the panel was ${states.join(', ')}`);

  panel.type('close front door');
  panel.type('open window');
  await home.shows(WINDOW, 'on');
  step('the window opens there');
  const { state: refusedAt } = await home.entity(REFUSED);
  await home.call('alarm_control_panel', 'alarm_arm_away', { entity_id: target });
  await home.changes(REFUSED, refusedAt);
  assert.is((await home.entity(PANEL)).state, 'disarmed');
  step('an open window refuses the arming, and an event says so');
  panel.type('close window');
  await home.shows(WINDOW, 'off');

  await home.restart();
  await home.shows(PANEL, 'disarmed');
  await home.shows(WINDOW, 'off');
  step('everything is there again after a restart of Home Assistant');
  await broker.stop();
  await home.shows(PANEL, 'unavailable');
  await broker.start();
  await home.shows(PANEL, 'disarmed');
  step('everything is there again after a restart of the broker');
  panel.type('network-off');
  await home.shows(PANEL, 'unavailable');
  await home.shows(`${PANEL} Connection`, 'off');
  panel.type('network-on');
  await home.shows(PANEL, 'disarmed');
  step('a panel without network is unavailable, and comes back');

  await home.set('zone.home', '1');
  await home.set('zone.home', '0');
  await home.shows(PANEL, 'armed_away');
  step('the panel is armed when everybody has left');
  await home.set('zone.home', '1');
  await home.shows(PANEL, 'disarmed');
  step('it is disarmed when the first one comes home');
  for (const name of ['Tell of an alarm', 'Tell of a refused order']) {
    assert.is((await home.entity(name)).state, 'on');
    assert.ok((await home.entity(name)).attributes.last_triggered, name);
  }
  step('the other automations of the README were triggered');

  const { entity_id: entityId } = await home.entity(WINDOW);
  const { p50, p99 } = await measureReports({ home, server, deviceId: device.id, panel, entityId }, REPORTS);
  step(`from the panel's report to Home Assistant: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
  if (process.env.HOMEASSISTANT_PICTURE) await takePicture(home, 'server/homeassistant/dashboard.png');
}

async function main(): Promise<void> {
  const lacking = ['mosquitto'].find((program) => pathOf(program) === undefined);
  const installed = lacking === undefined ? installHomeAssistant() : { missing: lacking };
  if ('missing' in installed)
    return console.log(`skipped: Home Assistant cannot be tested without ${installed.missing}`);
  try {
    await run(installed.bin);
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
