/**
 * Many panels on the XS engine against one server, while people walk in and out and arm and disarm. In the end what
 * every `current` document says must be what its panel is.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleFirmware } from '../../firmware/desktop/bundle.js';
import { type DesktopPanel, startPanel } from '../../firmware/desktop/desktop-panel.js';
import { CURRENT, type CurrentDocument, DESIRED } from '../../shared/panel.js';
import { createDevice, type Server, startServer } from './server.js';

const PANELS = Number(process.env.SWARM_PANELS ?? 200);
const SECONDS = Number(process.env.SWARM_SECONDS ?? 60);
/** Panels that come up at the same time. */
const STARTS_AT_ONCE = 4;
/** Between two deeds at one panel, at most. */
const LONGEST_PAUSE_MS = 2000;
/** How long the last change of a panel may take to be in its document. */
const SETTLE_MS = 30_000;

interface House {
  panel: DesktopPanel;
  deviceId: string;
  doorOpen: boolean;
  armed: boolean;
}

const test = suite<{ server: Server; data: string; houses: House[] }>('swarm');

test.before(async (context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-swarm-'));
  context.server = await startServer({ data: join(context.data, 'server') });
  context.houses = [];
});
test.after(async ({ houses, server, data }) => {
  for (const { panel } of houses) panel.stop();
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

async function startHouses(server: Server, data: string, houses: House[]): Promise<void> {
  const program = await bundleFirmware();
  const numbers = Array.from({ length: PANELS }, (_, number) => number).values();
  const starter = async () => {
    for (const number of numbers) {
      const { id, password } = await createDevice(server, `house ${number}`);
      const flash = join(data, `flash-${number}.json`);
      const panel = await startPanel({ server: server.mqtt, device: id, password, flash, program });
      houses.push({ panel, deviceId: id, doorOpen: false, armed: false });
      await panel.until(({ online }) => online);
    }
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, starter));
}

const documentPath = (house: House, name: string): string => `/twins/${house.deviceId}/documents/${name}`;

async function setArmed(server: Server, house: House, armed: boolean): Promise<void> {
  const body = JSON.stringify({ data: { alarm_armed: armed } });
  const response = await server.api(documentPath(house, DESIRED), { method: 'PUT', body });
  assert.is(response.status, 200, await response.text());
  house.armed = armed;
}

function moveDoor(house: House): void {
  house.doorOpen = !house.doorOpen;
  if (house.doorOpen) house.panel.openDoor();
  else house.panel.closeDoor();
}

/** One deed after the other, three doors to one arming or disarming. */
async function live(server: Server, house: House, end: AbortSignal): Promise<number> {
  let deeds = 0;
  for (; !end.aborted; deeds += 1) {
    if (Math.random() < 0.25) await setArmed(server, house, !house.armed);
    else moveDoor(house);
    await pause(Math.random() * LONGEST_PAUSE_MS);
  }
  return deeds;
}

type Shown = Pick<CurrentDocument, 'alarm_armed' | 'door_open' | 'siren_ringing'>;

async function currentOf(server: Server, house: House): Promise<Shown> {
  const response = await server.api(documentPath(house, CURRENT));
  const { data } = (await response.json()) as { data: CurrentDocument };
  return { alarm_armed: data.alarm_armed, door_open: data.door_open, siren_ringing: data.siren_ringing };
}

const ownState = ({ panel: { state } }: House): Shown => ({
  alarm_armed: state.armed,
  door_open: state.doorOpen,
  siren_ringing: state.sirenRinging,
});

const isAsLeft = ({ panel: { state }, armed, doorOpen }: House): boolean =>
  state.armed === armed && state.doorOpen === doorOpen;

const agree = (a: Shown, b: Shown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The houses whose panel is not as it was left, or whose document does not say what the panel is. */
async function disagreeing(server: Server, houses: House[]): Promise<House[]> {
  const agreements = await Promise.all(
    houses.map(async (house) => isAsLeft(house) && agree(await currentOf(server, house), ownState(house))),
  );
  return houses.filter((_, index) => !agreements[index]);
}

test(`of ${PANELS} panels whose doors moved for ${SECONDS} s, every current says what its panel is`, async ({
  server,
  data,
  houses,
}) => {
  await startHouses(server, data, houses);
  const end = AbortSignal.timeout(SECONDS * 1000);
  const deeds = await Promise.all(houses.map((house) => live(server, house, end)));
  assert.ok(deeds.every((count) => count > 0));

  const patience = AbortSignal.timeout(SETTLE_MS);
  let left = await disagreeing(server, houses);
  while (left.length > 0 && !patience.aborted) left = await disagreeing(server, left);
  const reports = left.map(async (house) => {
    const { armed, doorOpen } = house;
    return { left: { armed, doorOpen }, panel: house.panel.state, current: await currentOf(server, house) };
  });
  assert.equal(await Promise.all(reports), []);
  assert.is(houses.length, PANELS);
});

test.run();
