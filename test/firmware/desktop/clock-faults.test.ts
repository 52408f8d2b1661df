/** The firmware as it ships, on the XS engine, with clocks that are wrong, jump or are silent. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { type OneServer, setUp } from './one-server.js';
import type { ScriptedServer } from './scripted-server.js';

const test = suite<OneServer>('clock faults on XS');
setUp(test);

const DAY = 24 * 60 * 60 * 1000;
const MINUTE = 60 * 1000;
const QUICK = { clockRetryMin: 20, clockRetryMax: 20, refreshInterval: 50 };

const lastUpdates = (server: ScriptedServer): unknown[] => server.reports.map(({ data }) => data.last_update);

test('without a time server there is no last_update, whatever the board takes for the time, and with one there is', async ({
  bench,
  server,
}) => {
  let answer: number | undefined;
  const panel = await bench.panel({
    server: server.url,
    config: QUICK,
    timeServer: () => answer && Date.now(),
  });
  panel.shiftClock(-Date.now());
  await until(() => server.reports.length >= 3);
  assert.ok(lastUpdates(server).every((time) => time === undefined));
  answer = 1;
  await until(() => lastUpdates(server).at(-1) !== undefined);
  const last = Date.parse(String(lastUpdates(server).at(-1)));
  assert.ok(Math.abs(last - Date.now()) < MINUTE);
});

test('a time server that says 1970 is not believed', async ({ bench, server }) => {
  await bench.panel({ server: server.url, config: QUICK, timeServer: () => 1000 });
  await bench.traced('clock: not credible', 3);
  await until(() => server.reports.length >= 2);
  assert.ok(lastUpdates(server).every((time) => time === undefined));
});

test('the clock of a board that has started once is never before the last good time', async ({
  bench,
  server,
}) => {
  const panel = await bench.panel({ server: server.url });
  await until(() => lastUpdates(server).some((time) => time !== undefined));
  panel.stop();
  const program = await bench.program(`
    import { board } from 'firmware/boards/board.js';
    import { Clock } from 'firmware/clock.js';
    new Clock(board, () => undefined);
    board.trace('now ' + new Date(board.time.now()).getUTCFullYear());
  `);
  const next = await bench.panel({ program });
  next.powerOff();
  next.shiftClock(-Date.now());
  bench.lines.length = 0;
  next.powerOn();
  await bench.traced(`now ${new Date().getUTCFullYear()}`);
});

for (const jump of [-400 * DAY, -DAY, DAY, 400 * DAY]) {
  test(`a clock that jumps by ${jump / DAY} days does not move last_update, and the siren ends`, async ({
    bench,
    server,
  }) => {
    server.armed = true;
    const panel = await bench.panel({
      server: server.url,
      config: { sirenCutOff: 400, clockRefresh: DAY },
    });
    await panel.until(({ armed, online }) => armed && online);
    await until(() => lastUpdates(server).some((time) => time !== undefined));
    panel.openDoor();
    await panel.until(({ sirenRinging }) => sirenRinging);
    panel.shiftClock(jump);
    await panel.until(({ sirenRinging }) => !sirenRinging);
    await until(() => server.reports.at(-1)?.data.siren_ringing === false);
    const last = Date.parse(String(lastUpdates(server).at(-1)));
    assert.ok(Math.abs(last - Date.now()) < MINUTE, new Date(last).toISOString());
  });
}

test('a siren that was cut off is reported, and rings again at the next opening', async ({
  bench,
  server,
}) => {
  server.armed = true;
  const panel = await bench.panel({ server: server.url, config: { sirenCutOff: 100 } });
  await panel.until(({ armed, online }) => armed && online);
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
  await panel.until(({ sirenRinging, doorOpen }) => !sirenRinging && doorOpen);
  await until(() => server.reports.at(-1)?.data.siren_ringing === false);
  panel.closeDoor();
  await panel.until(({ doorOpen }) => !doorOpen);
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
});

test.run();
