/** The firmware as it ships, on the XS engine, when what lies between it and its server fails. */

import type { LookupFunction } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { type OneServer, setUp } from './one-server.js';
import { ScriptedServer } from './scripted-server.js';

const test = suite<OneServer>('network faults on XS');
setUp(test);

const QUICK = { wifiInterval: 20, wifiPatience: 60 };

test('an address that is lost is noticed and asked for again, and meanwhile the siren rings', async ({
  bench,
  server,
}) => {
  server.armed = true;
  const panel = await bench.panel({ server: server.url, config: QUICK });
  await panel.until(({ armed, online }) => armed && online);
  panel.dhcpOff();
  await panel.until(({ online }) => !online);
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
  await bench.traced('wifi: no address in time', 2);
  assert.is(server.sessions.length, 1);
  server.reports.length = 0;
  panel.dhcpOn();
  await panel.until(({ online }) => online);
  await until(() => server.reports.length > 0);
  const [{ action, data } = {}] = server.reports;
  assert.equal([action, data?.siren_ringing, data?.door_open], ['put', true, true]);
});

test('without an address from the start the panel boots, and comes online when there is one', async ({
  bench,
  server,
}) => {
  const panel = await bench.panel({ server: server.url, config: QUICK });
  panel.powerOff();
  panel.dhcpOff();
  panel.powerOn();
  await bench.traced('wifi: no address in time');
  panel.openDoor();
  await panel.until(({ doorOpen }) => doorOpen);
  panel.dhcpOn();
  await panel.until(({ online }) => online);
});

/** Resolves no name until the test says so. */
function names(): { lookup: LookupFunction; asked: number; works: boolean } {
  const state = {
    asked: 0,
    works: false,
    lookup: ((name, options, callback) => {
      state.asked += 1;
      const address = '127.0.0.1';
      if (!state.works) callback(Object.assign(new Error(`ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), '', 4);
      else if (options.all === true) callback(null, [{ address, family: 4 }]);
      else callback(null, address, 4);
    }) as LookupFunction,
  };
  return state;
}

test('a name that is not known is asked for again until it is', async ({ bench, server }) => {
  const resolver = names();
  const panel = await bench.panel({
    server: `mqtt://home.invalid:${server.port}`,
    lookup: resolver.lookup,
  });
  await bench.traced('link: network fault', 3);
  assert.ok(resolver.asked >= 3);
  assert.is(server.sessions.length, 0);
  resolver.works = true;
  await panel.until(({ online }) => online);
});

test('a server that refuses the connection is tried until it listens again', async (context) => {
  const { bench, server } = context;
  const { port, url } = server;
  await server.close();
  const panel = await bench.panel({ server: url });
  await bench.traced('link: network fault', 3);
  panel.openDoor();
  await panel.until(({ doorOpen }) => doorOpen);
  context.server = await ScriptedServer.listen('127.0.0.1', port);
  await panel.until(({ online }) => online);
});

test('a server that refuses the device is tried until it takes it, and hears the state once', async ({
  bench,
  server,
}) => {
  server.returnCode = 3;
  const panel = await bench.panel({ server: server.url });
  await bench.traced('the server refuses this device, CONNACK 3', 2);
  panel.openDoor();
  await panel.until(({ doorOpen }) => doorOpen);
  server.returnCode = 0;
  await panel.until(({ online }) => online);
  await until(() => server.reports.length > 0);
  const known = server.reports.filter(({ data }) => 'door_open' in data);
  assert.equal(
    known.map(({ action, data }) => [action, data.door_open]),
    [['put', true]],
  );
});

test('a server that takes the connection and never answers is given up', async ({ bench, server }) => {
  server.deafTo = ['connect'];
  const panel = await bench.panel({ server: server.url, config: { connectTimeout: 50 } });
  await bench.traced('link: no answer in time', 2);
  server.deafTo = [];
  await panel.until(({ online }) => online);
});

test('a message without a payload does not make the panel deaf', async ({ bench, server }) => {
  const panel = await bench.panel({ server: server.url });
  await panel.until(({ online }) => online);
  server.sessions.at(-1)?.publish('$SCW/twins/me/desired/changed', '');
  server.desire(true);
  await panel.until(({ armed }) => armed);
});

test.run();
