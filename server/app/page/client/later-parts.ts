/** Loads the rest of the app, once. */

export type Later = typeof import('../later.js');

let loaded: Later | undefined;
let isLoading = false;

/** The rest of the app; undefined until it is there. */
export const later = (): Later | undefined => loaded;

/** Begins to load it, unless it is there or on its way. After a failure the next call tries again. */
export function loadLater(onLoaded: (parts: Later) => void): void {
  if (loaded !== undefined || isLoading) return;
  isLoading = true;
  import('../later.js')
    .then((parts) => {
      loaded = parts;
      onLoaded(parts);
    })
    .catch((error: unknown) => console.warn(error))
    .finally(() => {
      isLoading = false;
    });
}
