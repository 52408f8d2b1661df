/** The ESP32's board on the XS engine, with this machine in the place of the SDK's modules. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesktopPanel, DesktopPanelOptions } from '../../../firmware/desktop/desktop-panel.js';
import type { Bundle } from '../../../firmware/desktop/trace.js';
import { until } from '../../until.js';
import { type OneServer, setUp } from './one-server.js';
import { ESP32_MODULES, ESP32_PINS, SDK_GLOBALS } from './sdk-modules.js';

interface Context extends OneServer {
  /** A panel on this board. */
  esp32: (options?: Partial<DesktopPanelOptions>) => Promise<DesktopPanel>;
}

const test = suite<Context>("the ESP32's board on XS");

const PROGRAM = `
  ${SDK_GLOBALS}
  import { start } from 'firmware/start.js';
  import('firmware/boards/esp32.js').then(({ board }) => start(board));
`;
const CONFIG = { ...ESP32_PINS, ssid: 'home', passphrase: 'secret' };

let program: Promise<Bundle> | undefined;

setUp(test);
test.before.each((context) => {
  const { bench, server } = context;
  context.esp32 = async (options = {}) => {
    program ??= bench.program(PROGRAM, ESP32_MODULES);
    return bench.panel({
      server: server.url,
      program: await program,
      ...options,
      config: { ...CONFIG, ...options.config },
    });
  };
});

const rings = (panel: DesktopPanel): Promise<unknown> => panel.until(({ sirenRinging }) => sirenRinging);

test('it reports itself, is armed, rings, is disarmed and falls silent', async ({ bench, server, esp32 }) => {
  const panel = await esp32();
  await bench.traced('wifi: online as 127.0.0.1');
  await until(() => server.reports.length > 0);
  assert.equal(server.reports[0]?.data.alarm_armed, false);
  server.desire(true);
  await until(() => panel.led);
  panel.openDoor();
  await rings(panel);
  server.desire(false);
  await panel.until(({ sirenRinging }) => !sirenRinging);
  await until(() => server.reports.at(-1)?.data.siren_ringing === false);
});

test('it keeps in flash that it is armed, and rings after a power cut without a network', async ({
  server,
  esp32,
}) => {
  server.armed = true;
  const panel = await esp32();
  await until(() => server.reports.some(({ data }) => data.alarm_armed === true));
  panel.powerOff();
  panel.networkOff();
  panel.openDoor();
  panel.powerOn();
  await rings(panel);
});

test('it stamps its reports with the time that its server told by SNTP', async ({ server, esp32 }) => {
  await esp32();
  await until(() => server.reports.some(({ data }) => data.last_update !== undefined));
});

test('it comes back when its address was lost', async ({ server, esp32 }) => {
  const panel = await esp32({ config: { wifiInterval: 20, wifiPatience: 60 } });
  await until(() => server.reports.length > 0);
  panel.dhcpOff();
  await until(() => server.sessions[0]?.socket.destroyed === true);
  panel.dhcpOn();
  await server.session(1, 'publish');
});

test('it says why it starts, and after five restarts in a row it does without the network', async ({
  bench,
  esp32,
}) => {
  const breaking = PROGRAM.replace(
    'start(board)',
    "start({ ...board, network() { throw new Error('broken'); } })",
  );
  await esp32({ program: await bench.program(breaking, ESP32_MODULES) });
  await bench.traced('start: Power-On (1)', 1);
  await bench.traced('start: Software (3)', 5);
  await bench.traced('too many restarts: offline for a while');
});

test('an exception restarts it', async ({ bench, esp32 }) => {
  const breaking = PROGRAM.replace(
    'start(board)',
    "start({ ...board, show() { throw new Error('broken'); } })",
  );
  await esp32({ program: await bench.program(breaking, ESP32_MODULES) });
  await bench.traced('restart after an exception: Error: broken', 2);
});

test.run();
