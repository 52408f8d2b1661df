import { LRUCache } from 'lru-cache';
import type { Polka } from 'polka';

type Find = Polka['find'];
type Found = ReturnType<Find>;

// Apps ask for the same few addresses over and over. Names for these would be settings nobody sets.
const PATHS = 1000;
const LONGEST_PATH = 256;

/** Matching a path against the routes takes as long as all else that a GET needs of us, so it is done once for each. */
export function rememberPaths(find: Find): Find {
  const known = new LRUCache<string, Found>({ max: PATHS });
  return (method, path) => {
    if (path.length > LONGEST_PATH) return find(method, path);
    const key = `${method} ${path}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const found = find(method, path);
    // Polka finds `false` where there is no route, whatever its types say.
    if (found) known.set(key, found);
    return found;
  };
}
