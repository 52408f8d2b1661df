/**
 * A backup as one file: a tar archive, compressed by gzip, and encrypted with a passphrase in the format of age
 * (age-encryption.org/v1) when it holds keys. Its first entry, `manifest.json`, names every other file with its hash.
 */

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import { create, extract } from 'tar';
import { isObject } from '../../shared/document.js';
import { VERSION } from '../../shared/version.js';
import { syncDirectory } from '../storage/directory.js';
import { FORMAT, newer, UnknownFormat } from '../storage/format.js';

/** The file cannot be used. The message says why, in one line. */
export class BackupUnusable extends Error {
  override name = 'BackupUnusable';
}

/** What `manifest.json` says. */
export interface Manifest {
  /** The form of the data. */
  readonly format: number;
  /** The version that made the backup. */
  readonly program: string;
  /** RFC 3339 */
  readonly created_at: string;
  readonly has_keys: boolean;
  /** By their paths in the data directory. */
  readonly files: Readonly<Record<string, FileEntry>>;
}

interface FileEntry {
  readonly size: number;
  /** Hexadecimal */
  readonly sha256: string;
}

const MANIFEST = 'manifest.json';
const DATA = 'data';

const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

/** The files below a directory, as paths with `/`. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

async function entriesOf(directory: string): Promise<Record<string, FileEntry>> {
  const entries: Record<string, FileEntry> = {};
  for (const path of await filesIn(directory)) {
    const { size } = await stat(join(directory, path));
    entries[path] = { size, sha256: await sha256Of(join(directory, path)) };
  }
  return entries;
}

/** Where the data lie in a directory that is packed, or that was unpacked. */
export const dataIn = (directory: string): string => join(directory, DATA);

/**
 * Packs a directory with `data/` into a file that appears as a whole or not at all. Only its owner can read it.
 * @param passphrase encrypts it
 */
export async function pack(
  directory: string,
  file: string,
  given: Pick<Manifest, 'format' | 'has_keys'>,
  passphrase: string | undefined,
): Promise<void> {
  const files = await entriesOf(dataIn(directory));
  const created_at = new Date().toISOString();
  const manifest: Manifest = { ...given, program: VERSION, created_at, files };
  await writeFile(join(directory, MANIFEST), JSON.stringify(manifest), { mode: 0o600 });
  const unfinished = `${file}.unfinished`;
  try {
    const archive = Readable.from(
      create({ cwd: directory, gzip: true, portable: true }, [MANIFEST, DATA]) as AsyncIterable<Buffer>,
    );
    const bytes = passphrase === undefined ? archive : await encrypt(archive, passphrase);
    await rm(unfinished, { force: true });
    await pipeline(bytes, createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true }));
    await rename(unfinished, file);
    await syncDirectory(dirname(file));
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

type Bytes = ReadableStream<Uint8Array>;
/** The library names the stream of the browser, which is the same one. */
type LibraryBytes = Parameters<Encrypter['encrypt']>[0] & { getReader: unknown };

async function encrypt(plain: Readable, passphrase: string): Promise<Readable> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return Readable.fromWeb((await encrypter.encrypt(Readable.toWeb(plain) as LibraryBytes)) as Bytes);
}

async function decrypt(secret: Readable, passphrase: string): Promise<Readable> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  return Readable.fromWeb((await decrypter.decrypt(Readable.toWeb(secret) as LibraryBytes)) as Bytes);
}

const AGE = 'age-encryption.org/';
const GZIP = Buffer.of(0x1f, 0x8b);

/** Whether a file needs a passphrase. @throws BackupUnusable when it is no backup */
export async function isEncrypted(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(AGE.length), 0, AGE.length, 0);
    const start = buffer.subarray(0, bytesRead);
    if (start.toString('latin1') === AGE) return true;
    if (start.subarray(0, GZIP.length).equals(GZIP)) return false;
    throw new BackupUnusable(`${file} is no backup of this program`);
  } finally {
    await handle.close();
  }
}

/**
 * Unpacks a file into an empty directory, and compares every file with its hash.
 * @throws BackupUnusable, UnknownFormat, or what the file system throws
 */
export async function unpack(
  file: string,
  directory: string,
  passphrase: string | undefined,
): Promise<Manifest> {
  await isEncrypted(file);
  const archive = join(directory, 'archive.tar');
  const bytes = createReadStream(file);
  try {
    // All of it is there and decrypted before the first file is made.
    const plain = passphrase === undefined ? bytes : await decrypt(bytes, passphrase);
    await pipeline(plain, createGunzip(), createWriteStream(archive, { mode: 0o600 }));
    await extract({ ...EXTRACTION, file: archive, cwd: directory, filter: isExpected });
  } catch (error) {
    throw explained(file, error as Error & { code?: string });
  } finally {
    bytes.destroy();
  }
  const manifest = await readManifest(file, directory);
  const found = await entriesOf(dataIn(directory)).catch(() => ({}));
  const wrong = differences(manifest.files, found);
  if (wrong[0] !== undefined) throw new BackupUnusable(`${file} is damaged: ${wrong[0]} is not as it was`);
  return manifest;
}

/** Only the owner can read what is unpacked, whatever the archive says. */
const EXTRACTION = { strict: true, umask: 0o077, preserveOwner: false };

const isExpected = (path: string): boolean => path === MANIFEST || /^data(\/|$)/.test(path);

/** The library says so when no passphrase fits. */
const WRONG_PASSPHRASE = /no identity matched/;

function explained(file: string, error: Error & { code?: string }): Error {
  if (WRONG_PASSPHRASE.test(error.message)) return new BackupUnusable(`the passphrase does not open ${file}`);
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT' || error.code === 'EACCES') return error;
  return new BackupUnusable(`${file} is damaged or cut off: ${error.message}`);
}

async function readManifest(file: string, directory: string): Promise<Manifest> {
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch(() => '');
  const manifest = parse(text);
  if (manifest === undefined) throw new BackupUnusable(`${file} is no backup of this program`);
  const { format, program } = manifest;
  if (format > FORMAT) throw new UnknownFormat(newer(file, format, program));
  return manifest;
}

function parse(text: string): Manifest | undefined {
  try {
    const value = JSON.parse(text) as Manifest;
    const isWhole = Number.isSafeInteger(value.format) && typeof value.program === 'string';
    return isWhole && typeof value.has_keys === 'boolean' && isObject(value.files) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The paths that one has and the other lacks, or has with other bytes. */
function differences(expected: Manifest['files'], found: Manifest['files']): string[] {
  const paths = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  return paths.filter(
    (path) => expected[path]?.sha256 !== found[path]?.sha256 || expected[path]?.size !== found[path]?.size,
  );
}
