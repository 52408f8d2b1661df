import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type FlashOptions, parseFlashOptions } from '../../../../firmware/desktop/board/arguments.js';
import { UsageError } from '../../../../shared/usage.js';

const BOARD = ['--target', 'esp32/nodemcu', '--ssid', 'home', '--passphrase', 'eight or more'];

const parse = (args: string[], environment: NodeJS.ProcessEnv = {}) =>
  parseFlashOptions(args, environment) as FlashOptions;

test('a target and a Wi-Fi are enough, the rest has defaults', () => {
  assert.equal(parse(BOARD), {
    target: 'esp32/nodemcu',
    port: undefined,
    name: 'front-door',
    device: undefined,
    server: undefined,
    api: 'http://127.0.0.1:8080/iot/v1/regions/fr-par',
    token: undefined,
    wifi: { ssid: 'home', passphrase: 'eight or more' },
    wiring: {},
    config: {},
    renew: false,
    debug: false,
    console: false,
    ca: undefined,
    dryRun: false,
  });
});

test('what is secret or the same each time may come from the environment', () => {
  const environment = {
    WIFI_PASSPHRASE: 'from there',
    TWIN_TOKEN: 't',
    TWIN_URL: 'http://a:1',
    TWIN_REGION: 'r',
  };
  const options = parse(['--target', 'esp32/nodemcu', '--ssid', 'home'], environment);
  assert.is(options?.wifi?.passphrase, 'from there');
  assert.equal([options?.token, options?.api], ['t', 'http://a:1/iot/v1/regions/r']);
});

test('pins, wiring and rules go into the config by the names that the firmware has for them', () => {
  const pins = [
    '--door-pin',
    '4',
    '--siren-pin',
    '0',
    '--led-pin',
    '48',
    '--siren-active-low',
    '--led-active-low',
  ];
  const rules = [
    '--door-inverted',
    '--siren-mode',
    'follow',
    '--siren-cut-off',
    '60',
    '--time-server',
    'ntp',
  ];
  const options = parse([...BOARD, ...pins, ...rules]);
  assert.equal(options?.wiring, {
    doorPin: 4,
    sirenPin: 0,
    ledPin: 48,
    sirenActiveLow: true,
    ledActiveLow: true,
  });
  assert.equal(options?.config, {
    contacts: [{ name: 'door', kind: 'entry', inverted: true }],
    sirenMode: 'follow',
    sirenCutOff: 60_000,
    timeServer: 'ntp',
  });
});

test('contacts go into the config in their order, each with its GPIO, and the beeper with its pin', () => {
  const options = parse([
    ...BOARD,
    ...['--contact', 'front door:27:entry', '--contact', 'window:33:instant:away:inverted'],
    ...['--contact', 'key:32:key', '--beeper-pin', '25', '--beeper-active-low'],
  ]);
  assert.equal(options?.config, {
    contacts: [
      { name: 'front door', kind: 'entry', pin: 27 },
      { name: 'window', kind: 'instant', modes: ['away'], inverted: true, pin: 33 },
      { name: 'key', kind: 'key', pin: 32 },
    ],
  });
  assert.equal(options?.wiring, { beeperPin: 25, beeperActiveLow: true });
});

test('the simulator needs no Wi-Fi, and a build that shows it', () => {
  const options = parse(['--target', 'sim/nodemcu']);
  assert.equal([options?.wifi, options?.debug], [undefined, true]);
});

test('an open Wi-Fi has an empty passphrase', () => {
  const options = parse(['--target', 'esp32/nodemcu', '--ssid', 'café', '--open'], {
    WIFI_PASSPHRASE: 'other',
  });
  assert.equal(options?.wifi, { ssid: 'café', passphrase: '' });
});

const WRONG: [string, string[]][] = [
  ['--target is missing', ['--ssid', 'home', '--open']],
  ['--target: expected', ['--target', 'arduino', '--ssid', 'home', '--open']],
  ['--ssid is missing', ['--target', 'esp32/nodemcu', '--open']],
  ['--ssid: expected 1 to 32 bytes', ['--target', 'esp32/nodemcu', '--ssid', 'é'.repeat(17), '--open']],
  ['--passphrase is missing', ['--target', 'esp32/nodemcu', '--ssid', 'home']],
  [
    '--passphrase: expected 8 to 63',
    ['--target', 'esp32/nodemcu', '--ssid', 'home', '--passphrase', 'short'],
  ],
  ['--name: expected', [...BOARD, '--name', '../x']],
  ['--device: expected', [...BOARD, '--device', 'x']],
  ['--server: expected mqtts', [...BOARD, '--server', 'http://a:1']],
  ['--server: expected mqtts', [...BOARD, '--server', 'mqtts://a']],
  ['--url: expected', [...BOARD, '--url', 'elsewhere']],
  ['--contact "door:entry:inverted": expected a GPIO', [...BOARD, '--contact', 'door:entry:inverted']],
  ['a panel has 1 to 8 contacts', [...BOARD, ...Array(9).fill('--contact=a:27:entry')]],
  ['two contacts have the name "a"', [...BOARD, '--contact', 'a:27:entry', '--contact', 'a:26:entry']],
  ['--contact says what', [...BOARD, '--contact', 'a:27:entry', '--door-pin', '27']],
  ['--contact says what', [...BOARD, '--contact', 'a:27:entry', '--door-inverted']],
  ['--beeper-pin: expected', [...BOARD, '--beeper-pin', 'D4']],
  ['--door-pin: expected', [...BOARD, '--door-pin', 'D4']],
  ['--led-pin: expected a GPIO from 0 to 48', [...BOARD, '--led-pin', '49']],
  ['--siren-mode: expected', [...BOARD, '--siren-mode', 'loud']],
  ['--siren-cut-off: expected', [...BOARD, '--siren-cut-off', 'soon']],
  ['--console: a debug build', [...BOARD, '--debug', '--console']],
  ['--console: a debug build', ['--target', 'sim/nodemcu', '--console']],
  ['--nonsense', [...BOARD, '--nonsense']],
];

for (const [message, args] of WRONG) {
  test(`says what is wrong :: ${args.slice(-2).join(' ')}`, () => {
    try {
      parse(args);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, UsageError);
      assert.match((error as Error).message, message);
    }
  });
}

test('help is help, and names every option', () => {
  const help = String(parseFlashOptions(['--help'], {}));
  for (const option of ['port', 'device', 'renew', 'dry-run', 'led-active-low', 'ca', 'console'])
    assert.match(help, `--${option}`);
});

test.run();
