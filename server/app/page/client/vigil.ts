/**
 * Whether this window of the app keeps a live connection: one that is seen does, and of those that are not one, so that an
 * alarm is heard in the background. A browser has six connections to a server, for all windows together.
 */
export class Vigil {
  #isKeeper: boolean;

  /** @param onChange is called whenever the answer may be another */
  constructor(onChange: () => void) {
    // Without TLS from another machine there are no locks, and each window keeps its own.
    this.#isKeeper = navigator.locks === undefined;
    navigator.locks?.request('alarm-twin', () => {
      this.#isKeeper = true;
      onChange();
      // Held until the window is closed: then another one has it.
      return new Promise(() => undefined);
    });
    document.addEventListener('visibilitychange', onChange);
  }

  get isAwake(): boolean {
    return this.#isKeeper || document.visibilityState === 'visible';
  }
}
