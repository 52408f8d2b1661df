/** The order of the server's parts, and the circles that imports make. */

import type { Source } from './sources.js';

/** From the top down: each imports what stands below it, never what stands above. */
const LAYERS = [
  ['server/main', 'server/cli', 'server/deploy'],
  ['server/run'],
  ['server/server', 'server/open-storage'],
  ['server/rest', 'server/mqtt'],
  ['server/migration'],
  ['server/app', 'server/alerts', 'server/homeassistant'],
  ['server/devices', 'server/twins', 'server/cluster'],
  ['server/audit', 'server/line-limit'],
  ['server/access', 'server/tls', 'server/backup'],
  ['server/storage'],
  ['server'],
  ['shared'],
];

const isIn = (path: string, part: string): boolean =>
  path === part || path.startsWith(`${part}/`) || path.startsWith(`${part}.`);

const layerOf = (path: string): number => LAYERS.findIndex((parts) => parts.some((part) => isIn(path, part)));

/** Each import that leads upwards, as `from → to`. */
export function upwardArrows(sources: Source[]): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports
      .filter((imported) => layerOf(path) !== -1 && layerOf(imported) !== -1)
      .filter((imported) => layerOf(imported) < layerOf(path))
      .map((imported) => `${path} → ${imported}`),
  );
}

/** Groups of files that import each other, by whatever way round; types count as well. */
export function circles(sources: Source[]): string[][] {
  const importsOf = new Map(sources.map(({ path, imports }) => [withoutExtension(path), imports]));
  const reached = new Map([...importsOf.keys()].map((path) => [path, reachableFrom(path, importsOf)]));
  const groups = new Map<string, string[]>();
  for (const [path, below] of reached) {
    if (!below.has(path)) continue;
    const group = [...below].filter((other) => reached.get(other)?.has(path)).sort();
    groups.set(group.join(), group);
  }
  return [...groups.values()];
}

export const withoutExtension = (path: string): string => path.replace(/(\.d)?\.\w+$/, '');

/** What a file imports, directly or not. Paths are without extension. */
export function reachableFrom(start: string, importsOf: Map<string, string[]>): Set<string> {
  const reached = new Set<string>();
  const waiting = [start];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const imported of importsOf.get(path) ?? []) {
      if (reached.has(imported) || !importsOf.has(imported)) continue;
      reached.add(imported);
      waiting.push(imported);
    }
  }
  return reached;
}
