import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Devices } from '../../server/devices/devices.js';
import { memoryStorage } from '../../server/storage/memory.js';
import { encodeMembers } from '../../server/storage/record.js';
import { type Documents, readDocuments, type Storage } from '../../server/storage/storage.js';
import { parseRequest } from '../../server/twins/document.js';
import { Twins } from '../../server/twins/twins.js';
import type { Bench } from './bench.js';
import { type Credentials, PAYLOAD } from './load/mqtt.js';
import { type Server, startServer } from './server.js';

/** Makes the certificate of a device. */
type Certify = ConstructorParameters<typeof Devices>[2]['certify'];

/** Making 100,000 certificates would take minutes. */
const certifyNone: Certify = async () => ({ certificate: { crt: '', key: '' }, sha256: '' });

const FILES_AT_ONCE = 16;
const PROGRESS_EVERY = 25_000;

/**
 * Fills a data directory with devices and their `current` documents, as the server would, but without making each of
 * them durable: 100,000 take seconds, not minutes. Without `certify` they have no certificates.
 */
export async function seed(
  bench: Bench,
  directory: string,
  count: number,
  certify = certifyNone,
): Promise<Credentials[]> {
  const storage = memoryStorage();
  const twins = new Twins(storage);
  const devices = new Devices(storage, twins, { region: 'fr-par', hubId: randomUUID(), certify });
  const request = parseRequest(Buffer.from(PAYLOAD));
  const made: Credentials[] = [];
  while (made.length < count) {
    const input = { name: `bench-${made.length}`, allow_insecure: true };
    const { device, password, certificate } = await devices.create(input);
    await new Promise<void>((done, failed) => {
      twins.put(device.id, 'current', request, (error) => (error === null ? done() : failed(error)));
    });
    made.push({ id: device.id, password, ...(certify !== certifyNone && { certificate }) });
    if (made.length % PROGRESS_EVERY === 0) bench.progress(`made ${made.length} of ${count} twins`);
  }
  await writeFiles(bench, storage, directory);
  // What is still on its way to the disk would slow the first fsyncs that are measured.
  await promisify(execFile)('sync', ['-f', directory]);
  return made;
}

/** A server with devices that have a document each. */
export interface Holding {
  readonly server: Server;
  readonly devices: Credentials[];
}

export async function startHolding(bench: Bench, count: number): Promise<Holding> {
  const directory = await bench.directory();
  const devices = await seed(bench, directory, count);
  return { server: await startServer(bench, { directory }), devices };
}

async function writeFiles(bench: Bench, storage: Storage, directory: string): Promise<void> {
  const names = await storage.list('');
  const parents = new Set(names.map((name) => dirname(join(directory, name))));
  for (const parent of parents) await mkdir(parent, { recursive: true });
  let written = 0;
  const waiting = names.values();
  const worker = async () => {
    for (const name of waiting) {
      const documents = await readDocuments(storage, name);
      await writeFile(join(directory, `${name}.json`), fileText(documents), { mode: 0o600 });
      written += 1;
      if (written % PROGRESS_EVERY === 0) bench.progress(`wrote ${written} of ${names.length} files`);
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, worker));
}

/** The form of `server/storage/document-file.ts`. */
function fileText(documents: Documents): string {
  const lines = [...documents].map(
    ([key, document]) => `${JSON.stringify(key)}:{${encodeMembers(document)}}`,
  );
  return `{"seq":1,"documents":{\n${lines.join(',\n')}\n}}\n`;
}
