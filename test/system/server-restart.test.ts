/**
 * The real server restarts under 500 panels, which all lose it in the same moment. How they spread over the next minute is
 * a matter of the clock, which `test/firmware/server-restart.test.ts` has in hand; here it is only printed.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DESIRED } from '../../shared/panel.js';
import { until } from '../until.js';
import { type LightPanel, startLightPanel } from './light-panel.js';
import { createDevice, type Server, startServer } from './server.js';

const PANELS = 500;
/** Devices that are created at the same time. */
const AT_ONCE = 4;

const test = suite<{ data: string; server: Server; panels: LightPanel[] }>('server restart');

test.before((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-restart-'));
  context.panels = [];
});
test.after(async ({ data, server, panels }) => {
  for (const panel of panels) panel.stop();
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

async function startPanels(server: Server): Promise<LightPanel[]> {
  const panels: LightPanel[] = [];
  const starter = async (): Promise<void> => {
    while (panels.length < PANELS) {
      const device = await createDevice(server, 'house');
      if (panels.length < PANELS) panels.push(startLightPanel(new URL(server.mqtt), device));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, starter));
  await until(() => panels.every(({ status }) => status.online));
  return panels;
}

async function arm(server: Server, panels: LightPanel[]): Promise<void> {
  for (const { id } of panels) {
    const body = JSON.stringify({ data: { alarm_armed: true } });
    const response = await server.api(`/twins/${id}/documents/${DESIRED}`, { method: 'PUT', body });
    assert.is(response.status, 200);
  }
}

/** The most that begin within one second, whenever it begins. */
function mostInASecond(times: number[]): number {
  const sorted = [...times].sort((one, other) => one - other);
  const counts = sorted.map((from, index) => {
    const end = sorted.findIndex((time) => time >= from + 1000);
    return (end === -1 ? sorted.length : end) - index;
  });
  return Math.max(...counts);
}

test(`${PANELS} panels come back, and no order is lost`, async (context) => {
  const { data } = context;
  const limits = { access: { authFailuresPerMinute: 1000 } };
  context.server = await startServer({ data, limits });
  const { mqtt, token } = context.server;
  context.panels = await startPanels(context.server);
  const { panels } = context;

  const ordered = panels.slice(0, PANELS / 5);
  await arm(context.server, ordered);
  await context.server.stop('SIGKILL');
  await until(() => panels.every(({ status }) => !status.online));
  const before = panels.map(({ attempts }) => attempts.length);

  context.server = await startServer({
    data,
    token,
    limits,
    env: { TWIN_MQTT: mqtt.replace('mqtt://', '') },
  });
  const up = performance.now();
  await until(() => panels.every(({ status }) => status.online));
  const seconds = (performance.now() - up) / 1000;
  const attempts = panels.flatMap(({ attempts }, index) => attempts.slice(before[index]));
  console.log(
    `all back after ${seconds.toFixed(1)} s, at most ${mostInASecond(attempts)} attempts in a second`,
  );
  await until(() => ordered.every(({ status }) => status.armed));
  assert.not.ok(panels.slice(ordered.length).some(({ status }) => status.armed));
});

test.run();
