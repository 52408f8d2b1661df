/** Of several servers on one storage, one leads. It alone tells alerts and talks to Home Assistant, so nothing is sent twice. */

export interface Leadership {
  /** Whether other servers may work on the same storage, before this one leads and after it. */
  readonly isShared: boolean;
  leads(): boolean;
  /**
   * Calls the watcher when this server begins to lead and when it ends. The watcher stops its work before it returns,
   * because another server may lead from then on. Returns a function that ends this.
   */
  watch(watcher: (leads: boolean) => void): () => void;
}

/** Of a server that has its storage for itself. */
export const alone: Leadership = { isShared: false, leads: () => true, watch: () => () => undefined };

/**
 * Runs something while this server leads, and begins it anew each time.
 * @param begin returns the end of it
 * @returns a function that ends it for good
 */
export function whileLeading(leadership: Leadership, begin: () => () => void): () => void {
  let end: (() => void) | undefined;
  const follow = (leads: boolean): void => {
    if (leads && end === undefined) end = begin();
    else if (!leads) {
      end?.();
      end = undefined;
    }
  };
  const unwatch = leadership.watch(follow);
  follow(leadership.leads());
  return () => {
    unwatch();
    follow(false);
  };
}
