/** Every setting of the server: its environment variable, its default and what it bounds, in one table. */

import { BlockList, isIP, isIPv6 } from 'node:net';
import { parseArgs } from 'node:util';
import {
  type Address,
  address,
  addressOrNone,
  count,
  flag,
  limit,
  names,
  oneOf,
  origins,
  type Setting,
  text,
  token,
} from './setting.js';

export type { Address };

const KIB = 1024;
const MIB = 1024 * KIB;

/** Sizes are in bytes and times in milliseconds, as their names say. */
export const SETTINGS = {
  data: text('TWIN_DATA', './data', 'the directory that holds everything'),
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
    '1 lets the listeners without TLS be reached from other machines',
  ),
  names: names(
    'TWIN_NAMES',
    'host names and addresses by which the server is reached, with commas between; empty: those of this machine',
  ),
  tlsCert: text(
    'TWIN_TLS_CERT',
    '',
    "a server certificate given from outside, a PEM file; empty: the server's own",
  ),
  tlsKey: text('TWIN_TLS_KEY', '', 'its key, a PEM file'),
  tlsHandshakeMs: limit('TWIN_TLS_HANDSHAKE_MS', 8000, 'how long a TLS handshake may take'),
  tlsServerDays: limit(
    'TWIN_TLS_SERVER_DAYS',
    397,
    "for how many days the server's own certificate is valid",
  ),
  tlsRenewDays: count('TWIN_TLS_RENEW_DAYS', 30, 'how many days before its end it is renewed'),
  tlsCheckMs: limit(
    'TWIN_TLS_CHECK_MS',
    60_000,
    'between two looks whether the certificate must be renewed or was replaced',
  ),
  tlsDeviceDays: limit(
    'TWIN_TLS_DEVICE_DAYS',
    3650,
    'for how many days the certificate of a device is valid',
  ),
  region: text('TWIN_REGION', 'fr-par', 'the region in the REST paths'),
  token: token('TWIN_TOKEN', 'an owner token given from outside, a UUID v4'),
  log: oneOf(
    'TWIN_LOG',
    'info',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'log level: trace, debug, info, warn, error, fatal or silent',
  ),
  stopMs: count('TWIN_STOP_MS', 5000, 'how long an orderly stop may take'),

  journalSegmentBytes: count('TWIN_JOURNAL_SEGMENT_BYTES', 4 * MIB, 'when the journal begins a new segment'),
  journalCeilingBytes: count(
    'TWIN_JOURNAL_CEILING_BYTES',
    256 * MIB,
    'the whole journal; above it writers wait',
  ),
  journalBatchBytes: count('TWIN_JOURNAL_BATCH_BYTES', 4 * MIB, 'what one fdatasync covers at most'),
  journalRetryMs: count('TWIN_JOURNAL_RETRY_MS', 1000, 'between tries to write again after a storage error'),
  memoryBytes: count('TWIN_MEMORY_BYTES', 256 * MIB, 'documents kept in memory that are not being written'),
  writeBehindMs: count('TWIN_WRITE_BEHIND_MS', 5000, 'how long a changed file waits before it is written'),
  writeBehindFiles: count('TWIN_WRITE_BEHIND_FILES', 4, 'files being written at the same time'),

  connections: limit('TWIN_CONNECTIONS', 16_384, 'open connections in all, REST and MQTT together'),
  connectionsPerSource: limit(
    'TWIN_CONNECTIONS_PER_SOURCE',
    1024,
    'open connections of one source: an IPv4 address, or an IPv6 /64',
  ),
  authFailuresPerMinute: limit(
    'TWIN_AUTH_FAILURES_PER_MINUTE',
    10,
    'wrong tokens and passwords of one source, before it is blocked',
  ),
  authBlockMs: limit(
    'TWIN_AUTH_BLOCK_MS',
    60_000,
    'how long a source is blocked first; twice as long each further time',
  ),
  authBlockCeilingMs: limit('TWIN_AUTH_BLOCK_CEILING_MS', 3_600_000, 'how long a source is blocked at most'),
  tokenRequestsPerSecond: limit(
    'TWIN_TOKEN_REQUESTS_PER_SECOND',
    5000,
    'REST requests of one token; as many may come at once',
  ),
  origins: origins(
    'TWIN_ORIGINS',
    'web origins other than its own that a browser may ask from, separated by commas',
  ),
  headers: limit('TWIN_HEADERS', 100, 'headers of one HTTP request'),
  headersBytes: limit('TWIN_HEADERS_BYTES', 16 * KIB, 'all headers of one HTTP request'),
  headersMs: limit('TWIN_HEADERS_MS', 8000, 'how long the headers of an HTTP request may take to arrive'),
  requestMs: limit('TWIN_REQUEST_MS', 30_000, 'how long a whole HTTP request may take to arrive'),
  keepAliveMs: limit('TWIN_KEEP_ALIVE_MS', 5000, 'how long an HTTP connection stays for another request'),
  httpIdleMs: limit(
    'TWIN_HTTP_IDLE_MS',
    60_000,
    'how long an HTTP connection may move nothing, neither request nor answer',
  ),
  events: limit('TWIN_EVENTS', 1024, 'open streams of events in all'),
  eventsPerToken: limit('TWIN_EVENTS_PER_TOKEN', 64, 'open streams of events of one token'),
  eventsBufferBytes: limit(
    'TWIN_EVENTS_BUFFER_BYTES',
    1 * MIB,
    'changes that the reader of a stream of events has not taken yet',
  ),
  eventsHeartbeatMs: limit(
    'TWIN_EVENTS_HEARTBEAT_MS',
    15_000,
    'between the comments that keep a stream of events open; who has no room for two is dropped',
  ),
  waits: limit('TWIN_WAITS', 1024, 'writes that wait for the panel to follow, in all'),
  waitSeconds: limit('TWIN_WAIT_SECONDS', 30, 'how long a write may wait for that at most, in seconds'),

  hstsSeconds: count(
    'TWIN_HSTS_SECONDS',
    2_592_000,
    'for how long a browser that came by TLS comes by nothing else, to any port of that name; 0 says nothing',
  ),
  historyVersions: count(
    'TWIN_HISTORY_VERSIONS',
    16_384,
    'past versions kept of each document, at least: nine days of a panel; 0 keeps none',
  ),
  historyBytes: count('TWIN_HISTORY_BYTES', 4 * MIB, 'documents in one answer of the history'),
  histories: limit('TWIN_HISTORIES', 8, 'answers of the history on their way at the same time'),

  bodyBytes: count('TWIN_BODY_BYTES', 128 * KIB, 'longest REST body'),
  httpStopMs: count('TWIN_HTTP_STOP_MS', 2000, 'how long the last REST answers may take to leave at a stop'),
} satisfies Record<string, Setting<unknown>>;

export type Settings = { [Name in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Name]['read']> };

/** Node's timers run out at once when they are to take longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A setting that cannot be understood. The message names the variable, what was given and what is expected. */
export class SettingError extends Error {
  override name = 'SettingError';
}

/** `TWIN_JOURNAL_RETRY_MS` is also `--journal-retry-ms`. */
export const flagOf = (variable: string): string =>
  variable.replace('TWIN_', '').toLowerCase().replaceAll('_', '-');

/**
 * The settings from flags, else environment, else defaults.
 * @throws SettingError for an unknown flag, a value that does not parse, or values that contradict each other
 */
export function readSettings(environment: NodeJS.ProcessEnv = {}, args: string[] = []): Settings {
  const flags = readFlags(args);
  const textOf = ({ variable }: Setting<unknown>) => flags[flagOf(variable)] ?? environment[variable];
  const settings = Object.entries(SETTINGS).map(([name, setting]: [string, Setting<unknown>]) => {
    const given = textOf(setting) ?? portlessBeside(setting, textOf) ?? setting.fallback;
    try {
      const value = setting.read(given);
      if (setting.variable.endsWith('_MS') && (value as number) > LONGEST_TIMER_MS) {
        throw new Error(`expected at most ${LONGEST_TIMER_MS}`);
      }
      return [name, value];
    } catch (error) {
      throw new SettingError(`${setting.variable}=${given}: ${(error as Error).message}`);
    }
  });
  const found = Object.fromEntries(settings) as Settings;
  refuseContradictions(found);
  return found;
}

function refuseContradictions(settings: Settings): void {
  const [open] = openListeners(settings);
  if (open !== undefined && !settings.allowInsecure) {
    throw new SettingError(
      `${open} would serve other machines without TLS: let them come by TWIN_HTTPS and TWIN_MQTTS, ` +
        'or set TWIN_ALLOW_INSECURE=1',
    );
  }
  if ((settings.tlsCert === '') !== (settings.tlsKey === '')) {
    throw new SettingError('TWIN_TLS_CERT and TWIN_TLS_KEY go together');
  }
  if (settings.tlsRenewDays >= settings.tlsServerDays) {
    throw new SettingError('TWIN_TLS_RENEW_DAYS must be less than TWIN_TLS_SERVER_DAYS');
  }
}

/** The listeners without TLS that other machines reach, each as its variable and what was given. */
export const openListeners = ({ http, mqtt }: Pick<Settings, 'http' | 'mqtt'>): string[] =>
  Object.entries({ TWIN_HTTP: http, TWIN_MQTT: mqtt })
    .filter(([, { host }]) => !isLoopback(host))
    .map(([variable, { host, port }]) => `${variable}=${isIPv6(host) ? `[${host}]` : host}:${port}`);

function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** So two servers with free ports for REST and MQTT never meet on a port for TLS. */
function portlessBeside(
  { beside }: Setting<unknown>,
  textOf: (setting: Setting<unknown>) => string | undefined,
): string | undefined {
  const other = Object.values(SETTINGS).find(({ variable }) => variable === beside);
  const address = other && textOf(other);
  return address?.endsWith(':0') ? address : undefined;
}

function readFlags(args: string[]): Record<string, string | undefined> {
  const names = Object.values(SETTINGS).map((setting) => flagOf(setting.variable));
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args, options, strict: true }).values as Record<string, string | undefined>;
  } catch (error) {
    throw new SettingError((error as Error).message);
  }
}
