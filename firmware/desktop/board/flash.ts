/** `npm run flash`: builds the panel's program, makes a device for it on the server, and puts it onto a board. */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitStatus, failureText, UsageError } from '../../../shared/usage.js';
import { checkContacts } from '../contact-option.js';
import { DEVICES, renewalPath, ServerApi } from '../server-api.js';
import { type FlashOptions, parseFlashOptions } from './arguments.js';
import {
  type BoardConfig,
  boardConfig,
  editsOf,
  type LocalManifest,
  manifestFor,
  pathOf,
  proofFrom,
  proofKept,
  readConfig,
  shown,
  withEdits,
  writeManifest,
} from './local-manifest.js';
import { checkPins, consolePinOf, type Pins } from './pins.js';
import {
  argumentsOf,
  type Build,
  checkVersions,
  environmentOf,
  findSdk,
  runMcconfig,
  targetOf,
} from './sdk.js';
import { checkServer } from './server-check.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const WATCHDOG = 'manifests/watchdog/sdkconfig.defaults';
/** A certificate that ends sooner is renewed. */
const LEAST_DAYS = 90;
const THIS_MACHINE = /^(localhost|127\..*)$/;

const print = (line: string): void => console.log(line);

async function flash(options: FlashOptions): Promise<number> {
  const { name, target, wifi, wiring, config } = options;
  const edits = editsOf(ROOT, name);
  const { contacts } = { ...edits.config, ...config };
  if (contacts !== undefined) checkContacts(contacts);
  const pins: Pins = { ...pinsInManifest(target), ...edits.config, ...wiring, ...(contacts && { contacts }) };
  const given = Object.keys({ ...wifi, ...wiring, ...config });
  if (options.dryRun) return dryRun(options, pins, (manifest) => withEdits(manifest, edits, given));
  // Everything is checked before anything is changed on the server.
  const sdk = findSdk(process.env, target);
  checkVersions(sdk, target, process.env.IDF_PATH);
  const board = targetOf(sdk, target);
  if (isBoard(target)) checkPins(target, board.chip, pins);
  const console = options.console ? { consolePin: consolePinOf(target, board) } : {};
  const sdkconfig = board.sdkconfig && `${board.sdkconfig.trimEnd()}\n${readText(WATCHDOG)}`;
  const written = manifestFor(target, { ...(await register(options)), ...console }, sdkconfig);
  const manifest = withEdits(written, edits, [...given, ...Object.keys(console)]);
  writeManifest(ROOT, name, manifest, sdkconfig, written);
  const build = buildOf(options);
  print(`The panel ${name} is the device ${written.config.device}. Its credentials are in`);
  print(`${build.manifest}, which only you can read.`);
  const kept = Object.keys({ ...edits.config, ...edits.others });
  if (kept.length > 0) print(`Your own edits of that file are kept: ${kept.join(', ')}`);
  print(commandOf(build));
  return runMcconfig(sdk, build, ROOT);
}

const isBoard = (target: string): boolean => target.startsWith('esp32/');

/** The pins of the common targets. */
function pinsInManifest(target: string): Pins {
  const { platforms } = JSON.parse(readText('manifests/esp32.json')) as {
    platforms: Record<string, { config?: Pins }>;
  };
  return platforms[target]?.config ?? {};
}

async function register(options: FlashOptions): Promise<BoardConfig> {
  const { token, name } = options;
  if (token === undefined) throw new UsageError('--token is missing; or set TWIN_TOKEN');
  const api = new ServerApi(options.api, token);
  const facts = await api.facts();
  const server = options.server ?? `mqtts://${facts.endpoint}`;
  checkReachable(options.target, server);
  const authority = server.startsWith('mqtts:') ? authorityOf(options, facts.authority) : undefined;
  const unchecked = authority && (await checkServer(server, authority));
  if (unchecked !== undefined) print(`The certificate of ${server} is not checked from here: ${unchecked}`);
  const earlier = readConfig(ROOT, name);
  const device = await chosenDevice(api, options, earlier?.device);
  if (authority === undefined) await api.allowInsecure(device);
  const keeps = earlier?.device === device && !options.renew;
  const kept = keeps ? proofKept(earlier, authority, LEAST_DAYS) : undefined;
  const proof = kept ?? proofFrom(await api.renew(device), authority);
  return boardConfig(options, server, device, proof);
}

/** In PEM. @throws UsageError */
function authorityOf({ ca }: FlashOptions, own: string): string {
  if (ca === undefined) return own;
  try {
    return new X509Certificate(readFileSync(ca)).toString();
  } catch (error) {
    throw new UsageError(`--ca: ${ca} holds no certificate: ${(error as Error).message}`);
  }
}

/** The device of the options, or that of the earlier flash if the server still has it, or a new one. */
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
  const { hostname, port, protocol } = new URL(server);
  if (!isBoard(target) && hostname === 'localhost')
    throw new UsageError(
      `the simulator takes localhost for ::1, where the server does not listen: --server ${protocol}//127.0.0.1:${port}`,
    );
  if (!isBoard(target) || (hostname.includes('.') && !THIS_MACHINE.test(hostname))) return;
  throw new UsageError(
    `a board does not find ${hostname}: --server mqtts://ADDRESS:8883 with the server's address in your network`,
  );
}

/** Sends no request and changes nothing. The chip is not known without the SDK. */
function dryRun(
  options: FlashOptions,
  pins: Pins,
  edited: (manifest: LocalManifest) => LocalManifest,
): number {
  if (isBoard(options.target)) checkPins(options.target, '', pins);
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
  print(shown(edited(manifestFor(target, config, undefined))));
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
  if (typeof options !== 'string') return flash(options);
  print(options);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(failureText('flash', error));
    process.exitCode = exitStatus(error);
  },
);
