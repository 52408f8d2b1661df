/** Data directories as earlier versions wrote them: the present server reads everything in them. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { extract } from 'tar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FORMAT } from '../../server/storage/format.js';
import { keepInDirectory } from '../database-under-test.js';
import { until } from '../until.js';
import { currentInBand, type House, see, statusByTls } from './formats/house.js';
import { startProgram } from './process.js';
import { SERVER, type Server, startServer } from './server.js';
import { twin } from './twin.js';

keepInDirectory();

const FOLDER = 'test/system/formats';
const KILLS = 3;
/** Turns of the event loop from the first sign of the migration until the kill, at most: some milliseconds. */
const MOST_TURNS = 2000;
const ENVIRONMENT = { TWIN_HTTP: '127.0.0.1:0', TWIN_MQTT: '127.0.0.1:0' };

const test = suite<{ directory: string }>('formats');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'twin-formats-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const hasBegun = (data: string): boolean => readdirSync(data).some((name) => name.startsWith('before-'));

const formats = readdirSync(FOLDER).flatMap((name) => /^format-(\d+)\.tar\.gz$/.exec(name)?.[1] ?? []);

const houseOf = (format: string): House =>
  JSON.parse(readFileSync(join(FOLDER, `format-${format}.json`), 'utf8')) as House;

async function unpack(format: string, data: string): Promise<string> {
  mkdirSync(data, { mode: 0o700 });
  await extract({ file: join(FOLDER, `format-${format}.tar.gz`), cwd: data });
  return data;
}

async function checkAll(server: Server, house: House, keys = true): Promise<void> {
  const { panels, seen, storedToken } = house;
  const found = await see(server, panels);
  const lacks = keys ? {} : { channels: found.channels, pushKey: found.pushKey, authority: found.authority };
  assert.equal(found, { ...seen, ...lacks });
  const [panel] = panels;
  if (panel === undefined) return assert.unreachable('no panel');
  const { now } = seen.documents[`${panel.id}/current`] as { now: { data: unknown } };
  assert.equal(await currentInBand(server, panel), now.data);
  assert.is(await statusByTls(server, '/devices', found.authority, storedToken), 200);
}

test('there is a directory of every format before the present one', () => {
  assert.equal(
    formats.map(Number).filter((format) => format < FORMAT),
    Array.from({ length: FORMAT }, (_, format) => format),
  );
});

for (const format of formats) {
  const house = houseOf(format);
  const { token } = house;

  test(`a directory of format ${format} is read whole, and written on`, async ({ directory }) => {
    const data = await unpack(format, join(directory, 'data'));
    for (const isFirst of [true, false]) {
      const server = await startServer({ data, token });
      await checkAll(server, house);
      if (!isFirst) {
        const path = `/twins/${house.panels[0]?.id}/documents/desired`;
        const answer = await server.api(path, { method: 'PUT', body: '{"data":{"alarm_armed":false}}' });
        assert.is(((await answer.json()) as { version: number }).version, 5);
      }
      assert.equal(await server.stop(), { code: 0, signal: null });
    }
  });

  test(`a server that is killed while it migrates format ${format} starts again with everything`, async ({
    directory,
  }) => {
    for (let round = 0; round < KILLS; round += 1) {
      const data = await unpack(format, join(directory, `data-${round}`));
      const program = startProgram(SERVER, { ...ENVIRONMENT, TWIN_DATA: data, TWIN_TOKEN: token });
      await until(() => hasBegun(data));
      for (let turn = 0; turn < Math.random() * MOST_TURNS; turn += 1) await nextTurn();
      await program.stop('SIGKILL');
      const server = await startServer({ data, token });
      await checkAll(server, house);
      await server.stop();
      assert.is(readdirSync(data).filter((name) => name.startsWith('before-')).length, 1);
    }
  });

  test(`a backup of format ${format} without keys is restored into an empty directory`, async ({
    directory,
  }) => {
    const data = await unpack(format, join(directory, 'data'));
    const file = join(directory, 'house');
    assert.is((await twin(['backup', file], { TWIN_DATA: data })).code, 0);
    const empty = join(directory, 'empty');
    const { code, said } = await twin(['restore', file], { TWIN_DATA: empty });
    assert.is(code, 0, said);
    assert.match(said, 'Install ca.crt on every phone again');
    const server = await startServer({ data: empty, token });
    await checkAll(server, house, false);
    const channels = (await (await server.api('/alerts/channels')).json()) as { channels: unknown[] };
    assert.equal(channels.channels, [], 'the passwords of alerts are not in it');
    await server.stop();
  });
}

test.run();
