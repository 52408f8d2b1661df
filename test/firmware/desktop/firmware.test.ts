/** The firmware as it ships, on the XS engine: what it does when it breaks and when the network does. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesktopPanel, DesktopPanelOptions } from '../../../firmware/desktop/desktop-panel.js';
import { until } from '../../until.js';
import { type OneServer, setUp } from './one-server.js';

interface Context extends OneServer {
  /** An armed panel that is online. */
  armed: (options?: Partial<DesktopPanelOptions>) => Promise<DesktopPanel>;
}

const test = suite<Context>('firmware on XS');

setUp(test);
test.before.each((context) => {
  const { bench, server } = context;
  context.armed = async (options) => {
    server.armed = true;
    const panel = await bench.panel({ server: server.url, ...options });
    await panel.until(({ armed, online }) => armed && online);
    return panel;
  };
});

const BREAK = '$SCW/twins/me/broken/changed';

/** The firmware on a board whose ticks fail once at each message of one topic. */
const BREAKING = `import { board } from 'firmware/boards/board.js';
import { start } from 'firmware/start.js';
let broken = false;
function ticks() {
  if (!broken) return board.time.ticks();
  broken = false;
  throw new Error('broken by a message');
}
start({
  ...board,
  time: { ...board.time, ticks },
  mqtt: (options) => board.mqtt({
    ...options,
    onReadable(count, info) {
      broken = info.topic === '${BREAK}';
      options.onReadable(count, info);
    },
  }),
});
`;

test('an exception is traced with file and line, and the panel comes back armed and ringing', async ({
  bench,
  server,
  armed,
}) => {
  const panel = await armed({ program: await bench.program(BREAKING) });
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
  const rings: boolean[] = [];
  panel.onChange(({ sirenRinging }) => sirenRinging === rings.at(-1) || rings.push(sirenRinging));
  server.push(BREAK, {});
  await server.session(1, 'connect');
  assert.equal(rings, [false, true]);
  const at = bench.lines.findIndex((line) => line.includes('restart after an exception'));
  assert.match(bench.lines[at] ?? '', 'Error: broken by a message');
  assert.match(bench.lines[at + 1] ?? '', 'program.ts:7)');
  assert.match(bench.lines[at + 2] ?? '', /firmware\/link\.ts:\d+\)/);
  assert.ok(panel.state.armed);
});

test('after five exceptions in a row the panel does without the network for a while', async ({
  bench,
  server,
  armed,
}) => {
  const program = await bench.program(BREAKING);
  const panel = await armed({ program, config: { networkPause: 1000 } });
  for (let times = 1; times <= 5; times++) {
    await server.session(times - 1, 'publish');
    server.push(BREAK, {});
    await bench.traced('restart after an exception', times);
  }
  await bench.traced('too many restarts');
  const connections = server.sessions.length;
  panel.openDoor();
  const { armed: isArmed, online } = await panel.until(({ sirenRinging }) => sirenRinging);
  assert.equal([isArmed, online, server.sessions.length], [true, false, connections]);
  await panel.until((state) => state.online);
  assert.is(server.sessions.length, connections + 1);
});

test('with no network at all it boots and rings', async ({ armed }) => {
  const panel = await armed();
  panel.powerOff();
  assert.equal(panel.state, { ...panel.state, sirenRinging: false, online: false, power: false });
  panel.networkOff();
  panel.powerOn();
  panel.openDoor();
  assert.not.ok((await panel.until(({ sirenRinging }) => sirenRinging)).online);
  panel.closeDoor();
  assert.ok((await panel.until(({ doorOpen }) => !doorOpen)).sirenRinging);
});

test('a half-open connection is noticed, and the whole state is reported on the next one', async ({
  bench,
  server,
  armed,
}) => {
  const panel = await armed({ config: { keepAlive: 1000 } });
  await until(() => server.reports.length > 0);
  panel.freezeNetwork();
  server.reports.length = 0;
  panel.openDoor();
  await bench.traced('link: the server is silent');
  await until(() => server.reports.length > 0);
  const [report] = server.reports;
  const { door_open, siren_ringing, alarm_armed } = report?.data ?? {};
  assert.equal([report?.action, door_open, siren_ringing, alarm_armed], ['put', true, true, true]);
  assert.is(server.sessions.length, 2);
});

test('a network that goes and comes, again and again, ends in one connection', async ({ server, armed }) => {
  const panel = await armed();
  for (let times = 0; times < 20; times++) {
    panel.networkOff();
    panel.networkOn();
  }
  await panel.until(({ online }) => !online);
  panel.networkOff();
  panel.networkOff();
  panel.networkOn();
  panel.networkOn();
  await panel.until(({ online }) => online);
  await until(() => server.sessions.filter(({ socket }) => !socket.destroyed).length === 1);
});

test('power that goes and comes, again and again, leaves one program', async ({ server, armed }) => {
  const panel = await armed();
  for (let times = 0; times < 10; times++) {
    panel.powerOff();
    panel.powerOff();
    panel.powerOn();
    panel.powerOn();
  }
  panel.openDoor();
  await panel.until(({ online, sirenRinging }) => online && sirenRinging);
  await until(() => server.sessions.filter(({ socket }) => !socket.destroyed).length === 1);
});

test('a server that refuses the device and a broken network are different reports', async ({
  bench,
  server,
}) => {
  server.returnCode = 4;
  await bench.panel({ server: server.url });
  await bench.traced('the server refuses this device, CONNACK 4', 2);
  await server.close();
  await bench.traced('link: network fault');
});

test('a door that is wired the other way round opens and closes all the same', async ({ bench }) => {
  const panel = await bench.panel({
    config: { contacts: [{ name: 'door', kind: 'entry', inverted: true }] },
  });
  panel.openDoor();
  await panel.until(({ doorOpen }) => doorOpen);
  panel.closeDoor();
  await panel.until(({ doorOpen }) => !doorOpen);
});

test('every state that a panel passes through is reported', async ({ armed }) => {
  const panel = await armed({ config: { sirenMode: 'follow', debounce: 1 } });
  const seen: boolean[] = [];
  panel.onChange(({ doorOpen }) => doorOpen === seen.at(-1) || seen.push(doorOpen));
  for (let times = 0; times < 10; times++) {
    const opened = panel.until(({ doorOpen, sirenRinging }) => doorOpen && sirenRinging);
    panel.openDoor();
    await opened;
    const closed = panel.until(({ doorOpen, sirenRinging }) => !doorOpen && !sirenRinging);
    panel.closeDoor();
    await closed;
  }
  assert.is(seen.length, 20);
});

test('the siren and the LED are silent and dark without power', async ({ armed }) => {
  const panel = await armed();
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
  await until(() => panel.led);
  panel.powerOff();
  assert.equal([panel.state.sirenRinging, panel.led], [false, false]);
});

test.run();
