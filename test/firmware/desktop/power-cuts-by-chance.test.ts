/** One panel whose power fails again and again, at any operation of its flash, while it is armed and disarmed. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesktopPanel } from '../../../firmware/desktop/desktop-panel.js';
import type { Cut } from '../../../firmware/desktop/flash-file.js';
import { until } from '../../until.js';
import { ScriptedServer } from './scripted-server.js';
import { Workbench } from './workbench.js';

const test = suite<{ bench: Workbench; servers: ScriptedServer[] }>('power cuts by chance');

const CUTS_BY_CHANCE = 500;
/** Panels that live at the same time, each with its own server. */
const PANELS = 4;
const CUTS: Cut[] = ['before', 'torn', 'after'];
/** A boot and an arming or disarming take so many operations of the flash at most. */
const MOST_OPERATIONS = 10;

test.before.each(async (context) => {
  context.bench = new Workbench();
  context.servers = await Promise.all(Array.from({ length: PANELS }, () => ScriptedServer.listen()));
});
test.after.each(async ({ bench, servers }) => {
  bench.end();
  for (const server of servers) await server.close();
});

/** What the panel last said of itself in this life. */
const confirmed = (server: ScriptedServer): unknown =>
  server.reports.filter(({ data }) => 'alarm_armed' in data).at(-1)?.data.alarm_armed;

/** Arms a disarmed panel, or disarms an armed one, and cuts its power meanwhile. */
async function cut(panel: DesktopPanel, server: ScriptedServer): Promise<void> {
  const before = confirmed(server);
  const how = CUTS[Math.floor(Math.random() * CUTS.length)] ?? 'torn';
  panel.cutPowerAtFlashOperation(1 + Math.floor(Math.random() * MOST_OPERATIONS), how);
  server.desire(before === false);
  await until(() => !panel.state.power || confirmed(server) !== before);
  const possible = confirmed(server) === before ? [true, false] : [before === false];
  panel.powerOff();
  server.armed = undefined;
  server.reports.length = 0;
  panel.powerOn();
  // A cut that did not come yet comes now, at what the panel reads as it starts.
  await until(() => !panel.state.power || confirmed(server) !== undefined);
  panel.powerOn();
  await until(() => confirmed(server) !== undefined);
  assert.ok(possible.includes(confirmed(server) as boolean), `${how}: ${confirmed(server)}`);
}

test(`${CUTS_BY_CHANCE} power cuts by chance unsay nothing that was confirmed`, async ({
  bench,
  servers,
}) => {
  let cuts = 0;
  const live = async (server: ScriptedServer, number: number): Promise<void> => {
    const panel = await bench.panel({ server: server.url, flash: bench.path(`flash-${number}.json`) });
    await until(() => confirmed(server) !== undefined);
    for (; cuts < CUTS_BY_CHANCE; cuts += 1) await cut(panel, server);
  };
  await Promise.all(servers.map(live));
  assert.ok(cuts >= CUTS_BY_CHANCE);
});

test.run();
