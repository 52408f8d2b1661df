import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  argumentsOf,
  checkVersions,
  environmentOf,
  findSdk,
  SdkMissing,
  targetOf,
} from '../../../../firmware/desktop/board/sdk.js';
import { fakeIdf, fakeSdk, fakeTarget } from './fake-sdk.js';

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
    assert.match(missing(environment, 'sim/nodemcu'), 'npx xs-dev@0.30.3 setup --device esp32');
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
  assert.equal(targetOf(sdk, 'esp32/nodemcu'), { chip: 'esp32', usesUsb: false, sdkconfig: undefined });
  assert.is(targetOf(sdk, 'sim/nodemcu').sdkconfig, undefined);
});

test("a target's chip, its USB and its own configuration are found, beside it or elsewhere in the SDK", ({
  directory,
}) => {
  const sdk = { directory, mcconfig: fakeSdk(directory) };
  fakeTarget(directory, 'own', { ESP32_SUBCLASS: 'esp32c3', USE_USB: '2', SDKCONFIGPATH: './sdkconfig' });
  const folder = join(directory, 'build/devices/esp32/targets/own/sdkconfig');
  mkdirSync(folder);
  writeFileSync(join(folder, 'sdkconfig.defaults'), 'CONFIG_OWN=y');
  fakeTarget(directory, 'other', { SDKCONFIGPATH: '$(MODDABLE)/shared' });
  mkdirSync(join(directory, 'shared'));
  writeFileSync(join(directory, 'shared/sdkconfig.defaults'), 'CONFIG_OTHER=y');
  assert.equal(targetOf(sdk, 'esp32/own'), { chip: 'esp32c3', usesUsb: true, sdkconfig: 'CONFIG_OWN=y' });
  assert.is(targetOf(sdk, 'esp32/other').sdkconfig, 'CONFIG_OTHER=y');
});

function refused(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.instance(error, SdkMissing);
    return (error as Error).message;
  }
  return assert.unreachable() as never;
}

test('a target that the SDK does not know is named, and so is one without Wi-Fi', ({ directory }) => {
  const sdk = { directory, mcconfig: fakeSdk(directory) };
  fakeTarget(directory, 'esp32h2', { ESP32_SUBCLASS: 'esp32h2' });
  assert.match(
    refused(() => targetOf(sdk, 'esp32/nothing')),
    'the SDK has no target esp32/nothing',
  );
  assert.match(
    refused(() => targetOf(sdk, 'esp32/esp32h2')),
    'esp32/esp32h2 has no Wi-Fi',
  );
});

test('the versions of the SDK and of ESP-IDF are those that build this firmware', ({ directory }) => {
  const sdk = { directory, mcconfig: fakeSdk(directory) };
  const idf = join(directory, 'idf');
  checkVersions(sdk, 'esp32/nodemcu', idf);
  checkVersions(sdk, 'sim/nodemcu', undefined);
  assert.match(
    refused(() => checkVersions(sdk, 'esp32/nodemcu', directory)),
    'builds with ESP-IDF 6.0',
  );
  fakeIdf(directory, 5, 5);
  const old = refused(() => checkVersions(sdk, 'esp32/nodemcu', idf));
  assert.match(old, 'builds with ESP-IDF 6.0, and');
  assert.match(old, 'is 5.5');
  for (const version of ['7.1.0', '8.3.0']) {
    writeFileSync(join(directory, 'tools/VERSION'), version);
    assert.match(
      refused(() => checkVersions(sdk, 'sim/nodemcu', undefined)),
      `is ${version}, not 8.2`,
    );
  }
  rmSync(join(directory, 'tools/VERSION'));
  assert.match(
    refused(() => checkVersions(sdk, 'sim/nodemcu', undefined)),
    'is of no known version',
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
