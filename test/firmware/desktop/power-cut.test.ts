/** The power is cut at every operation of the flash, from the start of the program to the confirmed arming. */

import { copyFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Cut } from '../../../firmware/desktop/flash-file.js';
import { FlashFile } from '../../../firmware/desktop/flash-file.js';
import { until } from '../../until.js';
import { type OneServer, setUp } from './one-server.js';
import type { ScriptedServer } from './scripted-server.js';
import type { Workbench } from './workbench.js';

const test = suite<OneServer>('power cut');
setUp(test);

const CUTS: Cut[] = ['before', 'torn', 'after'];

/** What a panel did before, and how its flash was left. */
const HISTORIES: Record<string, boolean[]> = {
  'that was never armed': [],
  'that was armed and disarmed': [true, false],
  'that was armed and disarmed twice': [true, false, true, false],
};

async function live(bench: Workbench, server: ScriptedServer, history: boolean[]): Promise<string> {
  const flash = bench.path('before.json');
  const panel = await bench.panel({ server: server.url, flash });
  await until(() => server.reports.some(({ data }) => 'last_update' in data));
  for (const armed of history) {
    server.desire(armed);
    await panel.until((state) => state.armed === armed);
    // A report that came later would be taken for one of its next life.
    await until(() => server.reports.at(-1)?.data.alarm_armed === armed);
  }
  panel.stop();
  return flash;
}

/**
 * Arms the panel with the power cut at the nth operation, and tells what it reports when the power is back; undefined
 * when the panel had reported that it is armed before the cut came.
 */
async function armWithCut(
  bench: Workbench,
  server: ScriptedServer,
  flash: string,
  operation: number,
  how: Cut,
): Promise<unknown> {
  const panel = await bench.panel({ server: server.url, flash });
  panel.cutPowerAtFlashOperation(operation, how);
  server.reports.length = 0;
  server.armed = true;
  await until(() => !panel.state.power || server.reports.some(({ data }) => data.alarm_armed === true));
  if (panel.state.power) return panel.stop();
  server.armed = undefined;
  server.reports.length = 0;
  panel.powerOn();
  await until(() => server.reports.length > 0);
  panel.stop();
  return server.reports[0]?.data.alarm_armed;
}

for (const [name, history] of Object.entries(HISTORIES)) {
  test(`a power cut while a panel ${name} is being armed leaves it armed or disarmed`, async ({
    bench,
    server,
  }) => {
    const before = await live(bench, server, history);
    const flash = bench.path('flash.json');
    for (const how of CUTS) {
      const left: unknown[] = [];
      do {
        copyFileSync(before, flash);
        left.push(await armWithCut(bench, server, flash, left.length + 1, how));
      } while (left.at(-1) !== undefined);
      // From some operation on it is armed, and before that it is not.
      assert.match(left.join(), /^(false,){4,}(true,)+$/, how);
    }
  });
}

test('a torn slot is reported, and the other one holds; none that holds is armed, with a fault', async ({
  bench,
  server,
}) => {
  const before = await live(bench, server, [true, false]);
  const flash = bench.path('flash.json');
  for (const [torn, armed] of [
    [['armed.b'], true],
    [['armed.a'], false],
    [['armed.a', 'armed.b'], true],
  ] as const) {
    copyFileSync(before, flash);
    const file = new FlashFile(flash);
    for (const key of torn) file.write(`panel/${key}`, Buffer.alloc(9, 0xff));
    server.armed = undefined;
    server.reports.length = 0;
    const panel = await bench.panel({ server: server.url, flash });
    await until(() => server.reports.length > 0);
    assert.is(server.reports[0]?.data.alarm_armed, armed, torn.join());
    panel.stop();
  }
  await bench.traced('armed with a fault');
});

test('arming that was confirmed outlives a power cut', async ({ bench, server }) => {
  const panel = await bench.panel({ server: server.url });
  server.armed = true;
  await until(() => server.reports.some(({ data }) => data.alarm_armed === true));
  panel.powerOff();
  panel.networkOff();
  panel.openDoor();
  panel.powerOn();
  const { armed, doorOpen, online, power } = await panel.until(({ sirenRinging }) => sirenRinging);
  assert.equal([armed, doorOpen, online, power], [true, true, false, true]);
});

test('a siren that makes the power fail at each start falls silent, and rings again at the next opening', async ({
  bench,
  server,
}) => {
  const CUT_OFF = 20;
  server.armed = true;
  const panel = await bench.panel({ server: server.url, config: { sirenCutOff: CUT_OFF * 1000 } });
  await panel.until(({ armed }) => armed);
  panel.networkOff();
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
  let starts = 1;
  for (; panel.state.sirenRinging && starts < CUT_OFF; starts++) {
    panel.powerOff();
    panel.powerOn();
    await panel.settled();
  }
  assert.ok(
    starts > 2 && starts <= 1 + CUT_OFF / 5,
    `${starts} starts, each of which uses up five seconds or more`,
  );
  assert.ok(panel.state.armed);
  panel.closeDoor();
  await panel.until(({ doorOpen }) => !doorOpen);
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
});

test.run();
