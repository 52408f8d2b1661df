import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  argumentsOf,
  environmentOf,
  findSdk,
  SdkMissing,
  sdkconfigOf,
} from '../../../../firmware/desktop/board/sdk.js';
import { fakeSdk } from './fake-sdk.js';

const test = suite<{ directory: string }>('SDK');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'sdk-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

function missing(environment: NodeJS.ProcessEnv, target: string): string {
  try {
    findSdk(environment, target);
  } catch (error) {
    assert.instance(error, SdkMissing);
    return (error as Error).message;
  }
  return assert.unreachable() as never;
}

test('without the SDK it is said how to get it', ({ directory }) => {
  for (const environment of [{}, { MODDABLE: '' }, { MODDABLE: directory }])
    assert.match(missing(environment, 'sim/nodemcu'), 'npx xs-dev setup --device esp32');
});

test('for a board ESP-IDF is needed as well, for the simulator it is not', ({ directory }) => {
  fakeSdk(directory);
  const MODDABLE = directory;
  assert.match(missing({ MODDABLE }, 'esp32/nodemcu'), 'IDF_PATH is not set');
  assert.is(findSdk({ MODDABLE }, 'sim/nodemcu').directory, directory);
  assert.is(findSdk({ MODDABLE, IDF_PATH: '/idf' }, 'esp32/nodemcu').directory, directory);
});

test('a target without a configuration of its own is left to our manifest', ({ directory }) => {
  const sdk = { directory, mcconfig: fakeSdk(directory) };
  assert.is(sdkconfigOf(sdk, 'esp32/nodemcu'), undefined);
  assert.is(sdkconfigOf(sdk, 'sim/nodemcu'), undefined);
});

test("a target's own configuration is found beside it, or elsewhere in the SDK", ({ directory }) => {
  const sdk = { directory, mcconfig: fakeSdk(directory) };
  const target = (name: string, SDKCONFIGPATH: string): string => {
    const folder = join(directory, 'build/devices/esp32/targets', name);
    mkdirSync(join(folder, 'sdkconfig'), { recursive: true });
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ build: { SDKCONFIGPATH } }));
    return folder;
  };
  writeFileSync(join(target('own', './sdkconfig'), 'sdkconfig/sdkconfig.defaults'), 'CONFIG_OWN=y');
  target('other', '$(MODDABLE)/shared');
  mkdirSync(join(directory, 'shared'));
  writeFileSync(join(directory, 'shared/sdkconfig.defaults'), 'CONFIG_OTHER=y');
  assert.is(sdkconfigOf(sdk, 'esp32/own'), 'CONFIG_OWN=y');
  assert.is(sdkconfigOf(sdk, 'esp32/other'), 'CONFIG_OTHER=y');
});

test('a target that the SDK does not know is named', ({ directory }) => {
  const sdk = { directory, mcconfig: fakeSdk(directory) };
  assert.throws(
    () => sdkconfigOf(sdk, 'esp32/nothing'),
    (error: Error) => error instanceof SdkMissing && error.message.includes('esp32/nothing'),
  );
});

test('mcconfig gets the target, the manifest, the kind of build and the port', () => {
  const build = { target: 'esp32/nodemcu', manifest: 'm.json', port: '/dev/ttyUSB0', debug: false };
  assert.equal(argumentsOf(build), ['-m', '-p', 'esp32/nodemcu', 'm.json']);
  assert.equal(argumentsOf({ ...build, debug: true }), ['-d', '-m', '-p', 'esp32/nodemcu', 'm.json']);
  assert.equal(environmentOf(build), { UPLOAD_PORT: '/dev/ttyUSB0' });
  assert.equal(environmentOf({ ...build, port: undefined }), {});
});

test.run();
