import type { Leadership } from '../../server/leadership.js';

export interface Elected extends Leadership {
  /** From now on this server leads, or does not. */
  lead(leads: boolean): void;
}

/** The leadership of one of several servers, which a test decides. It begins without it. */
export function elected(): Elected {
  const watchers = new Set<(leads: boolean) => void>();
  let isLeading = false;
  return {
    isShared: true,
    leads: () => isLeading,
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    lead(leads) {
      isLeading = leads;
      for (const watcher of watchers) watcher(leads);
    },
  };
}
