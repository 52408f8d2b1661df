/** `npm run flash`: the panel's program onto a board, with a device of its own on the server. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failureText, UsageError } from '../../../shared/usage.js';
import { DEVICES, renewalPath, ServerApi } from '../server-api.js';
import { type FlashOptions, HELP, parseFlashOptions } from './arguments.js';
import {
  type BoardConfig,
  boardConfig,
  manifestFor,
  pathOf,
  proofFrom,
  proofKept,
  readConfig,
  shown,
  writeManifest,
} from './local-manifest.js';
import { argumentsOf, type Build, environmentOf, findSdk, runMcconfig, sdkconfigOf } from './sdk.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const WATCHDOG = 'manifests/watchdog/sdkconfig.defaults';
/** A certificate that ends sooner is renewed. */
const LEAST_DAYS = 90;
const THIS_MACHINE = /^(localhost|127\..*)$/;

const print = (line: string): void => console.log(line);

async function flash(options: FlashOptions): Promise<number> {
  checkPins(options);
  if (options.dryRun) return dryRun(options);
  // Before anything is changed on the server.
  const sdk = findSdk(process.env, options.target);
  const own = sdkconfigOf(sdk, options.target);
  const sdkconfig = own === undefined ? undefined : `${own.trimEnd()}\n${readText(WATCHDOG)}`;
  const config = await register(options);
  writeManifest(ROOT, options.name, manifestFor(options.target, config, sdkconfig), sdkconfig);
  const build = buildOf(options);
  print(`The panel ${options.name} is the device ${config.device}. What it proves that with is in`);
  print(`${build.manifest}, for you alone.\n${commandOf(build)}`);
  return runMcconfig(sdk, build, ROOT);
}

async function register(options: FlashOptions): Promise<BoardConfig> {
  const { token, name } = options;
  if (token === undefined) throw new UsageError('--token is missing; or set TWIN_TOKEN');
  const api = new ServerApi(options.api, token);
  const facts = await api.facts();
  const server = options.server ?? `mqtts://${facts.endpoint}`;
  checkReachable(options.target, server);
  const authority = server.startsWith('mqtts:') ? facts.authority : undefined;
  const earlier = readConfig(ROOT, name);
  const device = await chosenDevice(api, options, earlier?.device);
  if (authority === undefined) await api.allowInsecure(device);
  const keeps = earlier?.device === device && !options.renew;
  const kept = keeps ? proofKept(earlier, authority, LEAST_DAYS) : undefined;
  const proof = kept ?? proofFrom(await api.renew(device), authority);
  return boardConfig(options, server, device, proof);
}

/** That of the options, that of an earlier flash if the server still knows it, or a new one. */
async function chosenDevice(
  api: ServerApi,
  { device, name }: FlashOptions,
  earlier: string | undefined,
): Promise<string> {
  if (device !== undefined) {
    if (await api.knowsDevice(device)) return device;
    throw new UsageError(`--device: the server knows no ${device}`);
  }
  if (earlier !== undefined && (await api.knowsDevice(earlier))) return earlier;
  return (await api.createDevice({ name })).id;
}

function checkReachable(target: string, server: string): void {
  const { hostname } = new URL(server);
  if (!target.startsWith('esp32/') || (hostname.includes('.') && !THIS_MACHINE.test(hostname))) return;
  throw new UsageError(
    `a board does not find ${hostname}: --server mqtts://ADDRESS:8883 with the server's address in your network`,
  );
}

/** The pins of the common targets are in the manifest. */
function checkPins({ target, wiring }: FlashOptions): void {
  if (!target.startsWith('esp32/')) return;
  const { platforms } = JSON.parse(readText('manifests/esp32.json')) as {
    platforms: Record<string, { config?: object }>;
  };
  const { doorPin, sirenPin, ledPin } = { ...platforms[target]?.config, ...wiring };
  const pins = [doorPin, sirenPin, ledPin];
  if (pins.includes(undefined))
    throw new UsageError(`the pins of ${target} are yours to choose: --door-pin, --siren-pin and --led-pin`);
  if (new Set(pins).size < pins.length) throw new UsageError('door, siren and LED need a pin each');
}

/** Asks nobody and changes nothing. */
function dryRun(options: FlashOptions): number {
  const { api, name, target, server = 'mqtts://SERVER:8883' } = options;
  const known = options.device ?? readConfig(ROOT, name)?.device;
  const device = known ?? 'NEW-DEVICE';
  const proof = server.startsWith('mqtts:')
    ? { ca: 'AUTHORITY', certificate: 'CERTIFICATE', key: 'KEY' }
    : { password: 'PASSWORD' };
  const config = boardConfig(options, server, device, proof);
  print('Nothing is done. Without --dry-run this would be:\n');
  print('1. On the server');
  print(`   GET  ${api}/hubs, and its authority`);
  print(
    known === undefined ? `   POST ${api}${DEVICES} {"name":"${name}"}` : `   GET  ${api}/devices/${known}`,
  );
  print(`   POST ${api}${renewalPath(device)}, unless what an earlier flash left still holds\n`);
  print(`2. ${pathOf(name)}, mode 0600`);
  print(shown(manifestFor(target, config, undefined)));
  print(`3. ${commandOf(buildOf(options))}`);
  return 0;
}

const buildOf = ({ target, port, debug, name }: FlashOptions): Build => ({
  target,
  port,
  debug,
  manifest: pathOf(name),
});

function commandOf(build: Build): string {
  const variables = Object.entries(environmentOf(build)).map(([name, value]) => `${name}=${value}`);
  return [...variables, 'mcconfig', ...argumentsOf(build)].join(' ');
}

const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

async function main(): Promise<number> {
  const options = parseFlashOptions(process.argv.slice(2), process.env);
  if (options !== undefined) return flash(options);
  process.stdout.write(HELP);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(failureText('flash', error));
    process.exitCode = 1;
  },
);
