/** The manifests, read as the SDK's `mcconfig` reads them, as far as that needs no SDK. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Manifest {
  build?: Record<string, string>;
  include?: string[];
  creation?: Record<string, unknown>;
  config?: Record<string, unknown>;
  modules?: Record<string, string | string[]>;
  preload?: string[];
  typescript?: { tsconfig: { compilerOptions: Record<string, unknown> } };
  platforms?: Record<string, Manifest>;
}

export const readManifest = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8')) as Manifest;

/** A path that begins with a variable is the SDK's. */
const isOwn = (path: string): boolean => !path.startsWith('$(');
const isModule = (name: string): boolean => /\.ts$/.test(name) && !name.endsWith('.d.ts');

/** The manifest and those of ours that it includes, by their paths. */
export function withIncluded(path: string): Map<string, Manifest> {
  const manifest = readManifest(path);
  const included = (manifest.include ?? []).filter(isOwn).map((name) => join(dirname(path), name));
  return new Map([[path, manifest], ...included.flatMap((name) => [...withIncluded(name)])]);
}

/** Module names and the files that they stand for; throws for a path at which there is none. */
export function modulesOf(path: string): Map<string, string> {
  const found = new Map<string, string>();
  const left = new Set<string>();
  for (const [at, { modules = {} }] of withIncluded(path)) {
    for (const [name, sources] of Object.entries(modules)) {
      for (const source of [sources].flat().filter(isOwn)) {
        const files = filesAt(join(dirname(at), source));
        if (files.length === 0) throw new Error(`${at}: ${source} leads to no module`);
        for (const file of files) {
          if (name === '~') left.add(file);
          else found.set(name.replace('*', stem(file)), file);
        }
      }
    }
  }
  return new Map([...found].filter(([, file]) => !left.has(file)));
}

/** A path without its extension, whose last part may be a `*`. */
function filesAt(path: string): string[] {
  if (!path.endsWith('*')) return [`${path}.ts`, `${path}.json`].filter(existsSync);
  const folder = dirname(path);
  return readdirSync(folder)
    .filter(isModule)
    .map((name) => join(folder, name));
}

const stem = (file: string): string => file.replace(/^.*\//, '').replace(/\.ts$/, '');
