/** What a run was made with, so that its figures can be judged later. */

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { join } from 'node:path';
import { pathOf } from '../programs.js';
import { CORES, Program, ROOT } from './program.js';

const PACKAGES = ['polka', 'aedes', 'lowdb', 'mqtt-packet', 'pg'];
/** They write their version among their first words, and end with an exit code of their own. */
const PROGRAMS = {
  mosquitto: ['-h'],
  wrk: ['-v'],
  postgres: ['--version'],
  'redis-server': ['--version'],
  'nats-server': ['--version'],
  etcd: ['--version'],
};

export interface Environment {
  versions: Record<string, string>;
  machine: string;
  /** How the server and the load are kept apart. */
  cores: string;
}

export async function environment(): Promise<Environment> {
  const versions: Record<string, string> = { node: process.versions.node };
  for (const name of PACKAGES) {
    versions[name] = JSON.parse(
      readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'),
    ).version;
  }
  for (const [name, args] of Object.entries(PROGRAMS)) versions[name] = await programVersion(name, args);
  return {
    versions,
    machine: `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Linux ${release()}`,
    cores: CORES
      ? `server and peers on core ${CORES.subject}, load on core ${CORES.load}`
      : 'not pinned: taskset or a second core is missing, so server and load share what there is',
  };
}

async function programVersion(name: string, args: string[]): Promise<string> {
  const path = pathOf(name);
  if (path === undefined) return 'missing';
  const words = await new Program([path, ...args], { role: 'load' }).words();
  return /\d+\.\d+(\.\d+)?/.exec(words)?.[0] ?? 'unknown';
}
