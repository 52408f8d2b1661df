import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  exposedListeners,
  flagOf,
  readSettings,
  SETTINGS,
  SettingError,
  settingsHelp,
} from '../../server/config.js';
import { UsageError } from '../../shared/usage.js';

const refusal = (environment: Record<string, string>, args: string[] = []): string => {
  try {
    readSettings(environment, args);
  } catch (error) {
    assert.instance(error, SettingError);
    return (error as Error).message;
  }
  assert.unreachable('it was taken');
  return '';
};

test('without flags and variables every setting has its default', () => {
  const settings = readSettings();
  assert.is(settings.data, './data');
  assert.equal(settings.http, { host: '127.0.0.1', port: 8080 });
  assert.equal(settings.mqtt, { host: '127.0.0.1', port: 1883 });
  assert.is(settings.region, 'fr-par');
  assert.is(settings.token, undefined);
  assert.is(settings.log, 'info');
  assert.is(settings.memoryBytes, 256 * 1024 * 1024);
  assert.equal(Object.keys(settings), Object.keys(SETTINGS));
});

test('every default is a value that its setting accepts', () => {
  for (const { variable, fallback } of Object.values(SETTINGS)) {
    assert.equal(readSettings({ [variable]: fallback }), readSettings(), variable);
  }
});

test('every variable and every flag is there once', () => {
  const variables = Object.values(SETTINGS).map(({ variable }) => variable);
  assert.is(new Set(variables).size, variables.length);
  for (const variable of variables) assert.match(variable, /^TWIN_[A-Z_]+$/);
});

test('a variable replaces the default, and a flag replaces the variable', () => {
  const environment = { TWIN_DATA: '/from/environment' };
  assert.is(readSettings(environment).data, '/from/environment');
  assert.is(readSettings(environment, ['--data', '/from/flag']).data, '/from/flag');
  assert.is(readSettings(environment, ['--data=/from/flag']).data, '/from/flag');
});

test('a flag is the name of the variable, written as flags are', () => {
  assert.is(flagOf('TWIN_HISTORY_VERSIONS'), 'history-versions');
  assert.is(readSettings({}, ['--history-versions', '5']).historyVersions, 5);
});

test('an address is host:port, with brackets around an IPv6 host', () => {
  const addresses = {
    '0.0.0.0:0': { host: '0.0.0.0', port: 0 },
    'localhost:65535': { host: 'localhost', port: 65_535 },
    '[::1]:8080': { host: '::1', port: 8080 },
    ':8080': { host: '', port: 8080 },
  };
  for (const [given, address] of Object.entries(addresses)) {
    assert.equal(readSettings({ TWIN_HTTP: given, TWIN_ALLOW_INSECURE: '1' }).http, address, given);
  }
});

test('a listener with TLS can be left out by an empty text', () => {
  const { https, mqtts } = readSettings({ TWIN_HTTPS: '' }, ['--mqtts', '']);
  assert.equal([https, mqtts], [undefined, undefined]);
});

test('when a listener has port 0, the listener with TLS has it too, on the same host', () => {
  const { https, mqtts } = readSettings({ TWIN_HTTP: '127.0.0.2:0', TWIN_MQTT: '127.0.0.1:1884' });
  assert.equal(https, { host: '127.0.0.2', port: 0 });
  assert.equal(mqtts, { host: '0.0.0.0', port: 8883 });
  const given = readSettings({ TWIN_HTTP: '127.0.0.2:0', TWIN_HTTPS: '127.0.0.1:8444' });
  assert.equal(given.https, { host: '127.0.0.1', port: 8444 });
});

test('a listener without TLS serves only this machine, unless a setting allows more', () => {
  for (const here of ['127.0.0.1:0', '127.1.2.3:80', '[::1]:80', '[::ffff:127.0.0.1]:80', 'localhost:80']) {
    assert.equal(exposedListeners(readSettings({ TWIN_HTTP: here, TWIN_MQTT: here })), [], here);
  }
  for (const open of [
    '0.0.0.0:80',
    '[::]:80',
    ':80',
    '192.0.2.7:80',
    '[2001:db8::1]:80',
    'alarm.example:80',
  ]) {
    for (const variable of ['TWIN_HTTP', 'TWIN_MQTT']) {
      assert.match(
        refusal({ [variable]: open }),
        `${variable}=${open} would serve other machines without TLS`,
      );
      const allowed = readSettings({ [variable]: open, TWIN_ALLOW_INSECURE: '1' });
      assert.equal(exposedListeners(allowed), [`${variable}=${open}`]);
    }
  }
});

test('a certificate and its key are given together or not at all', () => {
  const [cert, key] = ['/c.pem', '/k.pem'];
  assert.is(readSettings({ TWIN_TLS_CERT: cert, TWIN_TLS_KEY: key }).tlsKey, key);
  for (const half of [{ TWIN_TLS_CERT: cert }, { TWIN_TLS_KEY: key }]) {
    assert.is(refusal(half), 'TWIN_TLS_CERT and TWIN_TLS_KEY go together');
  }
});

test('a number that the server cannot work with is refused with the name of its setting', () => {
  const least = {
    TWIN_MEMORY_BYTES: 1024 * 1024,
    TWIN_CONNECTIONS: 1,
    TWIN_CONNECTIONS_PER_SOURCE: 1,
    TWIN_HISTORY_VERSIONS: 0,
    TWIN_HISTORY_BYTES: 1024 * 1024,
    TWIN_HSTS_SECONDS: 0,
  };
  const numbers = Object.values(SETTINGS).filter(
    (setting) => typeof setting.read(setting.fallback) === 'number',
  );
  assert.equal(numbers.map(({ variable }) => variable).sort(), Object.keys(least).sort());
  for (const [variable, number] of Object.entries(least)) {
    readSettings({ [variable]: `${number}` });
    for (const wrong of [
      `${number - 1}`,
      '-1',
      '1e7',
      '5s',
      '',
      '9007199254740993',
      'Infinity',
      'NaN',
      '1.5',
      'many',
    ]) {
      const expected = `${variable}=${wrong}: expected a whole number of at least ${number}`;
      assert.is(refusal({ [variable]: wrong }), expected);
    }
  }
});

test('names have commas between them, in lower case', () => {
  assert.equal(readSettings({ TWIN_NAMES: ' Alarm.lan, 192.168.1.5,,::1' }).names, [
    'alarm.lan',
    '192.168.1.5',
    '::1',
  ]);
  assert.equal(readSettings().names, []);
});

test('a token is a UUID v4, kept in lower case', () => {
  const token = 'ABCDEF01-2345-4678-9ABC-DEF012345678';
  assert.is(readSettings({ TWIN_TOKEN: token }).token, token.toLowerCase());
});

test('origins are a list, in the form in which browsers send them', () => {
  const origins = (given: string) => readSettings({ TWIN_ORIGINS: given }).origins;
  assert.equal(origins(''), []);
  assert.equal(origins('https://alarm.example, http://127.0.0.1:5173'), [
    'https://alarm.example',
    'http://127.0.0.1:5173',
  ]);
  assert.equal(origins('HTTPS://Alarm.Example:443/,'), ['https://alarm.example']);
  const ofApps = ['null', 'file://', 'capacitor://localhost', 'ionic://localhost'];
  assert.equal(origins(ofApps.join(',')), ofApps);
});

test('a wrong value is refused with the variable, the value and what is expected', () => {
  const refused: [string, string, string][] = [
    ['TWIN_DATA', '', 'expected a directory'],
    ['TWIN_REGION', '', 'expected letters, digits and hyphens'],
    ['TWIN_REGION', 'fr/par', 'expected letters, digits and hyphens'],
    ['TWIN_HTTP', 'localhost', 'expected host:port'],
    ['TWIN_HTTP', '127.0.0.1:65536', 'expected host:port'],
    ['TWIN_MQTT', '::1:8080', 'expected host:port'],
    ['TWIN_MQTT', 'a:b', 'expected host:port'],
    ['TWIN_MQTT', '', 'expected host:port'],
    ['TWIN_HTTPS', '8443', 'expected host:port'],
    ['TWIN_NAMES', 'alarm.lan,https://alarm.lan', 'expected host names and addresses'],
    ['TWIN_NAMES', 'fe80::1%eth0', 'expected host names and addresses'],
    ['TWIN_ALLOW_INSECURE', 'yes', 'expected 0 or 1'],
    ['TWIN_TOKEN', 'secret', 'expected a UUID v4'],
    ['TWIN_TOKEN', 'abcdef01-2345-1678-9abc-def012345678', 'expected a UUID v4'],
    ['TWIN_LOG', 'loud', 'expected one of trace, debug'],
    ['TWIN_ORIGINS', '*', 'expected origins such as'],
    ['TWIN_ORIGINS', 'https://*.alarm.example', 'expected origins such as'],
    ['TWIN_ORIGINS', 'https://alarm.example:*', 'expected origins such as'],
    ['TWIN_ORIGINS', 'capacitor://*', 'expected origins such as'],
    ['TWIN_ORIGINS', 'capacitor://localhost/app', 'expected origins such as'],
    ['TWIN_ORIGINS', 'alarm.example', 'expected origins such as'],
    ['TWIN_ORIGINS', 'https://alarm.example/app', 'expected origins such as'],
    ['TWIN_ORIGINS', 'https://me@alarm.example', 'expected origins such as'],
    ['TWIN_ORIGINS', 'file:///app', 'expected origins such as'],
  ];
  for (const [variable, value, expected] of refused) {
    const message = refusal({ [variable]: value });
    assert.ok(message.startsWith(`${variable}=${value}: ${expected}`), message);
  }
});

test('an unknown flag, one without a value and a stray word are refused', () => {
  for (const args of [['--colour', 'red'], ['--data'], ['start']]) {
    try {
      readSettings({}, args);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, UsageError);
      assert.match((error as Error).message, args[0]?.replace('--', '') ?? '');
      assert.not.match((error as Error).message, '\n');
    }
  }
});

test('the help names every option with its variable and its default', () => {
  const help = settingsHelp();
  for (const { variable, fallback } of Object.values(SETTINGS)) {
    assert.ok(help.includes(`--${flagOf(variable)} (${variable})`), variable);
    assert.ok(fallback === '' || help.includes(`(default ${fallback})`), variable);
  }
});

test('a broker is a URL with a name and a password, which no message shows', () => {
  const brokerOf = (given: string) => readSettings({ TWIN_HOMEASSISTANT: given }).homeassistant;
  assert.equal(brokerOf('mqtt://twin:p%40ss@host:1884'), {
    url: 'mqtt://host:1884',
    username: 'twin',
    password: 'p@ss',
  });
  assert.equal(brokerOf('mqtts://[::1]'), { url: 'mqtts://[::1]' });
  for (const wrong of [
    'http://u:secret@h',
    'mqtt://u:secret@',
    'mqtt://u:secret@h/x',
    'u:secret',
    'mqtt://u:secret%@h',
  ]) {
    const message = refusal({ TWIN_HOMEASSISTANT: wrong });
    assert.match(message, /^TWIN_HOMEASSISTANT=…: expected a URL/, wrong);
    assert.not.match(message, 'secret');
  }
  assert.not.match(refusal({ TWIN_HOMEASSISTANT_CODE: 'no spaces' }), 'no spaces');
  assert.match(refusal({ TWIN_HOMEASSISTANT_CA: '/ca.pem' }), 'mqtts://');
  assert.match(refusal({ TWIN_HOMEASSISTANT_PREFIX: 'a/#' }), 'a topic without wildcards');
});

test.run();
