/** Every setting of the server: its environment variable, its default and its meaning, in one table. */

import { isIPv6 } from 'node:net';
import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { callOf } from '../shared/call.js';
import { DEFAULT_REGION } from '../shared/rest.js';
import { ABOUT_OPTIONS, understood } from '../shared/usage.js';
import { isLoopback } from './names.js';
import {
  type Address,
  address,
  addressOrNone,
  broker,
  database,
  flag,
  names,
  networks,
  oneOf,
  origins,
  type Setting,
  text,
  textLike,
  token,
  url,
  wholeNumber,
} from './setting.js';

export type { Address };

const MIB = 1024 * 1024;
/** Levels that no broker treats in another way. */
const TOPIC = /^[0-9a-z_-]+(\/[0-9a-z_-]+)*$/i;

/** Sizes are in bytes, as their names say. */
export const SETTINGS = {
  data: textLike(
    'TWIN_DATA',
    './data',
    /./,
    'a directory',
    'the directory for everything, or with TWIN_DATABASE for the certificate of this server',
  ),
  database: database(
    'TWIN_DATABASE',
    'a PostgreSQL database that several servers share, postgres://user:password@host:port,host:port/name; empty: none',
  ),
  reads: oneOf<'fast' | 'strict'>(
    'TWIN_READS',
    'fast',
    ['fast', 'strict'],
    'with TWIN_DATABASE: strict lets reads wait for the standby, against a deposed primary; or fast',
  ),
  http: address('TWIN_HTTP', '127.0.0.1:8080', 'REST listener without TLS, host:port'),
  mqtt: address('TWIN_MQTT', '127.0.0.1:1883', 'MQTT listener without TLS, host:port'),
  https: addressOrNone(
    'TWIN_HTTPS',
    '0.0.0.0:8443',
    'TWIN_HTTP',
    'REST listener with TLS, host:port; empty: none',
  ),
  mqtts: addressOrNone(
    'TWIN_MQTTS',
    '0.0.0.0:8883',
    'TWIN_MQTT',
    'MQTT listener with TLS, host:port; empty: none',
  ),
  allowInsecure: flag(
    'TWIN_ALLOW_INSECURE',
    '1 allows listeners without TLS on addresses that other machines reach',
  ),
  names: names(
    'TWIN_NAMES',
    'host names and addresses by which the server is reached, with commas between; empty: those of this machine',
  ),
  tlsCert: text(
    'TWIN_TLS_CERT',
    '',
    "a PEM file with the server's certificate; empty: the server makes its own",
  ),
  tlsKey: text('TWIN_TLS_KEY', '', 'a PEM file with the key of that certificate'),
  authoritySecret: {
    ...textLike(
      'TWIN_AUTHORITY_SECRET',
      '',
      /^(.{16,})?$/,
      'at least 16 characters',
      "seals the authority's key in the database, the same for all servers; empty: it is not sealed",
    ),
    isSecret: true,
  },
  region: textLike(
    'TWIN_REGION',
    DEFAULT_REGION,
    /^[a-z0-9-]+$/i,
    'letters, digits and hyphens, such as fr-par',
    'the region in the REST paths',
  ),
  token: token('TWIN_TOKEN', 'one more owner token, a UUID v4'),
  log: oneOf(
    'TWIN_LOG',
    'info',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'log level: trace, debug, info, warn, error, fatal or silent',
  ),

  memoryBytes: wholeNumber(
    'TWIN_MEMORY_BYTES',
    256 * MIB,
    { least: MIB },
    'how much memory the documents in use may take',
  ),

  connections: wholeNumber(
    'TWIN_CONNECTIONS',
    16_384,
    { least: 1 },
    'open connections in all, REST and MQTT together',
  ),
  connectionsPerSource: wholeNumber(
    'TWIN_CONNECTIONS_PER_SOURCE',
    1024,
    { least: 1 },
    'open connections of one source: an IPv4 address, or an IPv6 /64',
  ),
  origins: origins(
    'TWIN_ORIGINS',
    'web origins other than its own that a browser may ask from, separated by commas',
  ),

  proxies: networks(
    'TWIN_PROXIES',
    'balancers and reverse proxies that may name their client, as addresses and networks, separated by commas',
  ),
  hstsSeconds: wholeNumber(
    'TWIN_HSTS_SECONDS',
    2_592_000,
    { least: 0 },
    'how long a browser that came by TLS must use TLS, on every port of that name; 0: it need not',
  ),
  historyVersions: wholeNumber(
    'TWIN_HISTORY_VERSIONS',
    16_384,
    { least: 0 },
    'how many past versions of each document are kept, at least, as long as they fit; 0 keeps none',
  ),
  historyBytes: wholeNumber(
    'TWIN_HISTORY_BYTES',
    16 * MIB,
    { least: MIB },
    'how much of the disk the past versions of one twin may take; the oldest go first',
  ),
  heartbeatUrl: url(
    'TWIN_HEARTBEAT_URL',
    'is asked every minute while the server works, so that a service elsewhere notices its silence',
  ),
  homeassistant: broker(
    'TWIN_HOMEASSISTANT',
    'the MQTT broker of Home Assistant, mqtt:// or mqtts://user:password@host:port; empty: none',
  ),
  homeassistantCa: text(
    'TWIN_HOMEASSISTANT_CA',
    '',
    "a PEM file with the authority of that broker's certificate; empty: those of Node.js",
  ),
  homeassistantPrefix: textLike(
    'TWIN_HOMEASSISTANT_PREFIX',
    'homeassistant',
    TOPIC,
    'a topic without wildcards',
    "Home Assistant's discovery prefix",
  ),
  homeassistantTopic: textLike(
    'TWIN_HOMEASSISTANT_TOPIC',
    'alarm-twin',
    TOPIC,
    'a topic without wildcards',
    'the topic below which the states and commands of the panels are',
  ),
  homeassistantForm: oneOf(
    'TWIN_HOMEASSISTANT_FORM',
    'entity',
    ['entity', 'device'],
    'discovery by a message for each entity, or for each device (Home Assistant 2024.12 or later)',
  ),
  homeassistantCode: {
    ...textLike(
      'TWIN_HOMEASSISTANT_CODE',
      '',
      /^[0-9a-z]{0,64}$/i,
      'up to 64 digits and letters',
      'a code that Home Assistant asks for when it arms and disarms; empty: none',
    ),
    isSecret: true,
  },
} satisfies Record<string, Setting<unknown>>;

export type Settings = { [Name in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Name]['read']> };

/** A setting has a wrong value. The message names the variable, its value and what is expected. */
export class SettingError extends Error {
  override name = 'SettingError';
}

/** `TWIN_MEMORY_BYTES` is also `--memory-bytes`. */
export const flagOf = (variable: string): string =>
  variable.replace('TWIN_', '').toLowerCase().replaceAll('_', '-');

/**
 * Reads each setting from its flag, or else from its environment variable, or else from its default.
 * @throws UsageError for an unknown flag or a flag without a value. SettingError for a wrong value, and for values that
 * contradict each other.
 */
export function readSettings(environment: NodeJS.ProcessEnv = {}, args: string[] = []): Settings {
  const flags = readFlags(args);
  const textOf = ({ variable }: Setting<unknown>) => flags[flagOf(variable)] ?? environment[variable];
  const settings = Object.entries(SETTINGS).map(([name, setting]: [string, Setting<unknown>]) => {
    const given = textOf(setting) ?? portlessBeside(setting, textOf) ?? setting.fallback;
    try {
      return [name, setting.read(given)];
    } catch (error) {
      const shown = setting.isSecret === true ? '…' : given;
      throw new SettingError(`${setting.variable}=${shown}: ${(error as Error).message}`);
    }
  });
  const found = Object.fromEntries(settings) as Settings;
  refuseContradictions(found);
  return found;
}

function refuseContradictions(settings: Settings): void {
  const [exposed] = exposedListeners(settings);
  if (exposed !== undefined && !settings.allowInsecure) {
    throw new SettingError(
      `${exposed} would serve other machines without TLS: let them come by TWIN_HTTPS and TWIN_MQTTS, ` +
        'or set TWIN_ALLOW_INSECURE=1',
    );
  }
  if ((settings.tlsCert === '') !== (settings.tlsKey === '')) {
    throw new SettingError('TWIN_TLS_CERT and TWIN_TLS_KEY go together');
  }
  const { homeassistant, homeassistantCa } = settings;
  if (homeassistantCa !== '' && !(homeassistant?.url.startsWith('mqtts:') ?? false)) {
    throw new SettingError('TWIN_HOMEASSISTANT_CA needs a TWIN_HOMEASSISTANT that begins with mqtts://');
  }
}

/** The listeners without TLS that other machines can reach, as `VARIABLE=host:port`. */
export const exposedListeners = ({ http, mqtt }: Pick<Settings, 'http' | 'mqtt'>): string[] =>
  Object.entries({ TWIN_HTTP: http, TWIN_MQTT: mqtt })
    .filter(([, { host }]) => !isLoopback(host))
    .map(([variable, { host, port }]) => `${variable}=${isIPv6(host) ? `[${host}]` : host}:${port}`);

/**
 * If the system chooses a listener's port, it chooses the port with TLS too. So two servers on a machine do not
 * collide.
 */
function portlessBeside(
  { beside }: Setting<unknown>,
  textOf: (setting: Setting<unknown>) => string | undefined,
): string | undefined {
  const other = Object.values(SETTINGS).find(({ variable }) => variable === beside);
  const address = other && textOf(other);
  return address?.endsWith(':0') ? address : undefined;
}

/** @throws UsageError */
function readFlags(args: string[]): Record<string, string | undefined> {
  const names = Object.values(SETTINGS).map((setting) => flagOf(setting.variable));
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const known = { ...options, ...ABOUT_OPTIONS };
  return understood(() => parseArgs({ args, options, strict: true }), known, closestMatch).values;
}

/** The text of `--help`. */
export function settingsHelp(): string {
  const lines = Object.values(SETTINGS).map(
    ({ variable, fallback, help }) =>
      `  --${flagOf(variable)} (${variable})\n      ${help}${fallback === '' ? '' : ` (default ${fallback})`}`,
  );
  return [
    `Usage: ${callOf('server')} [OPTIONS]`,
    '',
    'Each setting has a value, and may be given by its environment variable instead:',
    '',
    ...lines,
    '  --help\n      prints this text',
    '  --version\n      prints the version of this program',
    '',
    'Examples:',
    `  ${callOf('server')}`,
    `  ${callOf('server')} --data /var/lib/alarm-twin --names alarm.example`,
  ].join('\n');
}
