import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flagOf, readSettings, SETTINGS, SettingError } from '../../server/config.js';

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

test('without a word from anyone every setting has its default', () => {
  const settings = readSettings();
  assert.is(settings.data, './data');
  assert.equal(settings.http, { host: '127.0.0.1', port: 8080 });
  assert.equal(settings.mqtt, { host: '127.0.0.1', port: 1883 });
  assert.is(settings.region, 'fr-par');
  assert.is(settings.token, undefined);
  assert.is(settings.log, 'info');
  assert.is(settings.stopMs, 5000);
  assert.is(settings.bodyBytes, 128 * 1024);
  assert.equal(Object.keys(settings), Object.keys(SETTINGS));
});

test('every default is a value that the setting itself takes', () => {
  for (const { variable, fallback } of Object.values(SETTINGS)) {
    assert.equal(readSettings({ [variable]: fallback }), readSettings(), variable);
  }
});

test('every variable and every flag is there once', () => {
  const variables = Object.values(SETTINGS).map(({ variable }) => variable);
  assert.is(new Set(variables).size, variables.length);
  for (const variable of variables) assert.match(variable, /^TWIN_[A-Z_]+$/);
});

test('the environment goes before the default, and the flag before the environment', () => {
  const environment = { TWIN_DATA: '/from/environment' };
  assert.is(readSettings(environment).data, '/from/environment');
  assert.is(readSettings(environment, ['--data', '/from/flag']).data, '/from/flag');
  assert.is(readSettings(environment, ['--data=/from/flag']).data, '/from/flag');
});

test('a flag is the name of the variable, written as flags are', () => {
  assert.is(flagOf('TWIN_JOURNAL_RETRY_MS'), 'journal-retry-ms');
  assert.is(readSettings({}, ['--journal-retry-ms', '5']).journalRetryMs, 5);
});

test('an address is host:port, with brackets around an IPv6 host', () => {
  const addresses = {
    '0.0.0.0:0': { host: '0.0.0.0', port: 0 },
    'localhost:65535': { host: 'localhost', port: 65_535 },
    '[::1]:8080': { host: '::1', port: 8080 },
    ':8080': { host: '', port: 8080 },
  };
  for (const [given, address] of Object.entries(addresses)) {
    assert.equal(readSettings({ TWIN_HTTP: given }).http, address, given);
  }
});

test('a listener with TLS can be left out by an empty text', () => {
  const { https, mqtts } = readSettings({ TWIN_HTTPS: '' }, ['--mqtts', '']);
  assert.equal([https, mqtts], [undefined, undefined]);
});

test('where the system chooses the port of a listener, it does so for the one with TLS, on the same host', () => {
  const { https, mqtts } = readSettings({ TWIN_HTTP: '127.0.0.2:0', TWIN_MQTT: '127.0.0.1:1884' });
  assert.equal(https, { host: '127.0.0.2', port: 0 });
  assert.equal(mqtts, { host: '0.0.0.0', port: 8883 });
  const given = readSettings({ TWIN_HTTP: '127.0.0.2:0', TWIN_HTTPS: '127.0.0.1:8444' });
  assert.equal(given.https, { host: '127.0.0.1', port: 8444 });
});

test('a list has commas between its words, and nothing else counts', () => {
  assert.equal(readSettings({ TWIN_NAMES: ' alarm.lan, 192.168.1.5,,' }).names, ['alarm.lan', '192.168.1.5']);
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
});

test('what cannot be understood is refused with the variable, the value and what is expected', () => {
  const refused: [string, string, string][] = [
    ['TWIN_HTTP', 'localhost', 'expected host:port'],
    ['TWIN_HTTP', '127.0.0.1:65536', 'expected host:port'],
    ['TWIN_MQTT', '::1:8080', 'expected host:port'],
    ['TWIN_MQTT', 'a:b', 'expected host:port'],
    ['TWIN_MQTT', '', 'expected host:port'],
    ['TWIN_HTTPS', '8443', 'expected host:port'],
    ['TWIN_ALLOW_INSECURE', 'yes', 'expected 0 or 1'],
    ['TWIN_TOKEN', 'secret', 'expected a UUID v4'],
    ['TWIN_TOKEN', 'abcdef01-2345-1678-9abc-def012345678', 'expected a UUID v4'],
    ['TWIN_LOG', 'loud', 'expected one of trace, debug'],
    ['TWIN_STOP_MS', '-1', 'expected a whole number'],
    ['TWIN_STOP_MS', '1e3', 'expected a whole number'],
    ['TWIN_STOP_MS', '5s', 'expected a whole number'],
    ['TWIN_STOP_MS', '', 'expected a whole number'],
    ['TWIN_CONNECTIONS', '0', 'expected a whole number above 0'],
    ['TWIN_CONNECTIONS', 'many', 'expected a whole number'],
    ['TWIN_ORIGINS', '*', 'expected origins such as'],
    ['TWIN_ORIGINS', 'null', 'expected origins such as'],
    ['TWIN_ORIGINS', 'alarm.example', 'expected origins such as'],
    ['TWIN_ORIGINS', 'https://alarm.example/app', 'expected origins such as'],
    ['TWIN_ORIGINS', 'https://me@alarm.example', 'expected origins such as'],
    ['TWIN_ORIGINS', 'file:///app', 'expected origins such as'],
    ['TWIN_BODY_BYTES', '9007199254740993', 'expected a whole number'],
  ];
  for (const [variable, value, expected] of refused) {
    const message = refusal({ [variable]: value });
    assert.ok(message.startsWith(`${variable}=${value}: ${expected}`), message);
  }
});

test('an unknown flag, one without a value and a stray word are refused', () => {
  assert.match(refusal({}, ['--colour', 'red']), 'colour');
  assert.match(refusal({}, ['--data']), 'data');
  assert.match(refusal({}, ['start']), 'start');
});

test.run();
