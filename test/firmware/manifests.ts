/** Manifests resolved by the rules of the SDK's `mcconfig` (8.2.3): includes, platforms, variables, modules, preloads. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';

/** What is merged: the manifest's own part and that of one platform. */
interface Part {
  build?: Record<string, string>;
  include?: string | string[];
  creation?: Record<string, unknown>;
  config?: Record<string, unknown>;
  modules?: Record<string, string | string[]>;
  preload?: string | string[];
  typescript?: { tsconfig: { compilerOptions: Record<string, unknown> } };
}

export interface Manifest extends Part {
  platforms?: Record<string, Part>;
}

/** What `mcconfig` makes of a manifest and all that it includes. */
export interface Resolved {
  build: Record<string, string>;
  config: Record<string, unknown>;
  creation: Record<string, unknown>;
  /** The file of each module, without its extension where it is the SDK's. */
  modules: Map<string, string>;
  /** Those that there is a module for. */
  preload: string[];
  /** Every manifest that took part, by its path, the included ones first. */
  manifests: Map<string, Manifest>;
}

/** The folder that `$(MODDABLE)` stands for here. Its manifests come from the record that {@link resolve} is given. */
export const SDK = '/sdk';

export const readManifest = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8')) as Manifest;

/**
 * @param target as `mcconfig -p` has it
 * @param sdk the SDK's manifests by their paths below {@link SDK}; without it they all count as empty
 * @throws Error for a manifest or a module of the project that is not there
 */
export function resolve(path: string, target: string, sdk?: Record<string, Manifest>): Resolved {
  const name = target.split('/')[1] ?? '';
  const build: Record<string, string> = {
    MODDABLE: SDK,
    SUBPLATFORMMANIFEST: `${SDK}/build/devices/esp32/targets/${name}/manifest.json`,
  };
  const manifests = new Map<string, Manifest>();
  const expand = (text: string): string =>
    text.replace(/\$\((\w+)\)/g, (_, variable: string) => {
      const value = build[variable];
      if (value === undefined) throw new Error(`${variable} is not set`);
      return value;
    });
  const pathFrom = (folder: string, text: string): string => {
    const value = expand(text);
    return value.startsWith('/') ? posix.normalize(value) : posix.join(folder, value);
  };

  /** A manifest counts once, after those that it includes. */
  const seen = new Set<string>();
  const read = (at: string): void => {
    if (seen.has(at)) return;
    seen.add(at);
    const manifest = at.startsWith(SDK) ? recorded(sdk, at) : readManifest(at);
    const parts = partsOf(manifest, target);
    for (const part of parts)
      for (const [key, value] of Object.entries(part.build ?? {})) build[key] = expand(value);
    for (const part of parts)
      for (const include of [part.include ?? []].flat()) read(pathFrom(dirname(at), include));
    manifests.set(at, manifest);
  };
  read(path);

  const [config, creation] = [{}, {}];
  const sources: [name: string, file: string][] = [];
  const excluded = new Set<string>();
  const preload: string[] = [];
  for (const [at, manifest] of manifests) {
    for (const part of partsOf(manifest, target)) {
      merge(config, part.config);
      merge(creation, part.creation);
      preload.push(...[part.preload ?? []].flat());
      for (const [module, given] of Object.entries(part.modules ?? {}))
        for (const source of [given].flat())
          for (const file of filesAt(pathFrom(dirname(at), source), at))
            if (module === '~') excluded.add(file);
            else sources.push([module.replace('*', stem(file)), file]);
    }
  }
  const modules = new Map(sources.filter(([, file]) => !excluded.has(file)));
  return {
    build,
    config,
    creation,
    modules,
    preload: preload.filter((each) => modules.has(each)),
    manifests,
  };
}

/** The project's own modules alone: their names and files. */
export const modulesOf = (path: string): Map<string, string> => resolve(path, '').modules;

function recorded(sdk: Record<string, Manifest> | undefined, path: string): Manifest {
  if (sdk === undefined) return {};
  const manifest = sdk[path.slice(SDK.length + 1)];
  if (manifest === undefined) throw new Error(`no record of ${path}`);
  return manifest;
}

/** The manifest itself, and the one of its platforms that applies. */
function partsOf(manifest: Manifest, target: string): Part[] {
  const platform = platformOf(manifest.platforms ?? {}, target);
  return platform === undefined ? [manifest] : [manifest, platform];
}

/** The first that matches the target, else the first that matches its platform, else the one for all others. */
function platformOf(platforms: Record<string, Part>, target: string): Part | undefined {
  const [platform = ''] = target.split('/');
  for (const wanted of [target, platform]) {
    const found = Object.keys(platforms).find(
      (name) =>
        name === wanted ||
        (name.endsWith('/*') && wanted.startsWith(name.slice(0, -1))) ||
        (name.startsWith('*/') && wanted.endsWith(name.slice(1))),
    );
    if (found !== undefined) return platforms[found];
  }
  return platforms['...'];
}

/** Objects are merged member by member, anything else is replaced. */
function merge(target: Record<string, unknown>, source: Record<string, unknown> = {}): void {
  for (const [name, value] of Object.entries(source)) {
    const before = target[name];
    if (isObject(before) && isObject(value)) merge(before, value);
    else target[name] = structuredClone(value);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isModule = (name: string): boolean => /\.ts$/.test(name) && !name.endsWith('.d.ts');

/** @param path without its extension; its last part may be `*` */
function filesAt(path: string, manifest: string): string[] {
  if (path.startsWith(SDK)) return [path];
  const files = path.endsWith('*')
    ? readdirSync(dirname(path))
        .filter(isModule)
        .map((name) => posix.join(dirname(path), name))
    : [`${path}.ts`, `${path}.json`].filter(existsSync);
  if (files.length === 0) throw new Error(`${manifest}: ${path} leads to no module`);
  return files;
}

const stem = (file: string): string => file.replace(/^.*\//, '').replace(/\.ts$/, '');
