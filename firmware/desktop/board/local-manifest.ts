/** The manifest of one board: its device, credentials and Wi-Fi. Only its owner can read it, and it is not in git. */

import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../replace-file.js';
import type { Proof } from '../server-api.js';
import type { FlashOptions } from './arguments.js';

const FILE = 'manifest.json';
/** Beside it, the same as it was written: the difference is what a person has edited since. */
const WRITTEN = 'written.json';
const SDKCONFIG = 'sdkconfig';
const DAY_MS = 24 * 60 * 60 * 1000;
/** Below the project's top. */
const LOCAL = 'manifests/local';

/** What the firmware's `mc/config` says. Certificates and key in DER as base64. */
export interface BoardConfig {
  server: string;
  host: string;
  port: number;
  device: string;
  password?: string;
  ca?: string;
  certificate?: string;
  key?: string;
  [name: string]: unknown;
}

export interface LocalManifest {
  include: string[];
  config: BoardConfig;
  /** What a person has added. */
  [name: string]: unknown;
}

/** The path of a panel's manifest, from the project's top. */
export const pathOf = (name: string): string => join(LOCAL, name, FILE);

/** The config that an earlier flash wrote, or undefined. @throws Error for a damaged file */
export function readConfig(root: string, name: string): BoardConfig | undefined {
  const path = join(root, pathOf(name));
  if (!existsSync(path)) return undefined;
  try {
    const { config } = JSON.parse(readFileSync(path, 'utf8')) as Partial<LocalManifest>;
    if (typeof config?.device === 'string') return config;
  } catch {
    // Not JSON: damaged, as is JSON without a device.
  }
  throw new Error(`${path} is damaged: delete it to begin with a new device`);
}

/** What the command decides afresh each time: an edit of it does not last. */
const DECIDED = ['server', 'host', 'port', 'device', 'password', 'ca', 'certificate', 'key', 'flashedAt'];

/** What a person has changed in the file since it was written. */
interface Edits {
  include: string[];
  config: Record<string, unknown>;
  others: Record<string, unknown>;
}

const NO_EDITS: Edits = { include: [], config: {}, others: {} };

export function editsOf(root: string, name: string): Edits {
  const [now, before] = [pathOf(name), join(LOCAL, name, WRITTEN)].map((path) => join(root, path));
  if (now === undefined || before === undefined || !existsSync(now) || !existsSync(before)) return NO_EDITS;
  const [edited, written] = [now, before].map(
    (path) => JSON.parse(readFileSync(path, 'utf8')) as LocalManifest,
  ) as [LocalManifest, LocalManifest];
  const { include, config, ...others } = edited;
  return {
    include: include.filter((path) => !written.include.includes(path)),
    config: without(DECIDED, changed(config, written.config)),
    others: changed(others, written),
  };
}

const changed = (now: Record<string, unknown>, before: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  );

const without = (names: string[], from: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)));

/** @param given the settings on the command line, which have the last word over edits */
export function withEdits(
  manifest: LocalManifest,
  { include, config, others }: Edits,
  given: string[],
): LocalManifest {
  return {
    ...others,
    include: [...manifest.include, ...include],
    config: { ...manifest.config, ...without(given, config) },
  };
}

/** What a board knows. Without a certificate it proves itself by its password. Its clock starts at this moment. */
export function boardConfig(
  { wifi, wiring, config }: Pick<FlashOptions, 'wifi' | 'wiring' | 'config'>,
  server: string,
  device: string,
  proof: OwnProof,
  flashedAt = Date.now(),
): BoardConfig {
  const { hostname: host, port } = new URL(server);
  return { server, host, port: Number(port), device, ...proof, ...wifi, ...wiring, flashedAt, ...config };
}

type OwnProof = Pick<BoardConfig, 'password' | 'ca' | 'certificate' | 'key'>;

/** @param authority the server's, in PEM, for `mqtts` */
export function proofFrom({ password, certificate }: Proof, authority: string | undefined): OwnProof {
  if (authority === undefined) return { password };
  return { ca: der(authority), certificate: der(certificate.crt), key: der(certificate.key) };
}

/** The content of one PEM block, which is DER in base64 [RFC 7468]. */
const der = (pem: string): string => pem.replace(/-----[^-]+-----|\s/g, '');

/** The credentials of an earlier flash, if they are of the kind that is needed and valid for so many more days. */
export function proofKept(
  { password, certificate = '', key = '' }: BoardConfig,
  authority: string | undefined,
  leastDays: number,
): OwnProof | undefined {
  if (authority === undefined) return password === undefined ? undefined : { password };
  if (certificate === '') return undefined;
  const ends = Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo);
  return ends < Date.now() + leastDays * DAY_MS ? undefined : { ca: der(authority), certificate, key };
}

/** @param sdkconfig what is to be merged into ESP-IDF's configuration, or undefined where a manifest of ours has it */
export function manifestFor(
  target: string,
  config: BoardConfig,
  sdkconfig: string | undefined,
): LocalManifest {
  const board = target.startsWith('esp32/') ? 'esp32' : 'simulator';
  const include = [`../../${board}.json`];
  // After the target's own, which would have the last word else.
  if (sdkconfig !== undefined) include.push(`./${SDKCONFIG}/${FILE}`);
  return { include, config };
}

/**
 * Replaces the file whole; it and its directory are for their owner alone.
 * @param written the same without edits
 */
export function writeManifest(
  root: string,
  name: string,
  manifest: LocalManifest,
  sdkconfig: string | undefined,
  written = manifest,
): void {
  const directory = join(root, LOCAL, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (sdkconfig !== undefined) {
    mkdirSync(join(directory, SDKCONFIG), { recursive: true });
    writeFileSync(join(directory, SDKCONFIG, 'sdkconfig.defaults'), sdkconfig);
    writeFileSync(join(directory, SDKCONFIG, FILE), text({ build: { SDKCONFIGPATH: './' } }));
  }
  replaceFile(join(directory, WRITTEN), text(written));
  replaceFile(join(directory, FILE), text(manifest));
}

const text = (object: object): string => `${JSON.stringify(object, null, 2)}\n`;

const SECRETS = ['password', 'passphrase', 'key'];

/** The same as text, with its secrets left out. */
export function shown({ config, ...others }: LocalManifest): string {
  const visible = Object.entries(config).map(([name, value]) => [
    name,
    SECRETS.includes(name) && value !== '' ? '…' : value,
  ]);
  return text({ ...others, config: Object.fromEntries(visible) });
}
