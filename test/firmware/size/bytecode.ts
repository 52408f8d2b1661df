import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modulesOf } from '../manifests.js';
import type { Engine } from './engine.js';
import { PROOF } from './limits.js';

/** What `mcconfig` has TypeScript compile modules to. */
const TARGET = ['--noEmit', 'false', '--target', 'es2025', '--rootDir', '.'];

/** The bytecode of the modules that a manifest has of ours, in bytes by their files, boards included. */
export function bytecodeOf(manifest: string, { bytecode }: Engine): Map<string, number> {
  const directory = mkdtempSync(join(tmpdir(), 'bytecode-'));
  try {
    execFileSync('node_modules/.bin/tsc', ['-p', 'firmware', ...TARGET, '--outDir', directory]);
    const files = [...modulesOf(manifest).values()].sort();
    const compiled = files.map((file) => join(directory, file.replace(/\.ts$/, '.js')));
    const sizes = execFileSync(bytecode, compiled, { encoding: 'utf8' }).trim().split('\n');
    return new Map(files.map((file, index) => [file, Number(sizes[index])]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Of the panel, and of its proof of the server. */
export function sumsOf(sizes: Map<string, number>): { panel: number; proof: number } {
  const sums = { panel: 0, proof: 0 };
  for (const [file, size] of sizes) sums[PROOF.test(file) ? 'proof' : 'panel'] += size;
  return sums;
}
