/**
 * Decides whether this window of the app keeps a live connection. Every visible window does. Of the hidden ones only one
 * does, so that an alarm is heard in the background: a browser opens at most six connections to a server.
 */
export class Vigil {
  #isKeeper: boolean;

  /** @param onChange is called when the answer may have changed */
  constructor(onChange: () => void) {
    // A page that came without TLS from another machine has no locks. Each of its windows keeps a connection.
    this.#isKeeper = navigator.locks === undefined;
    navigator.locks?.request('alarm-twin', () => {
      this.#isKeeper = true;
      onChange();
      // Holds the lock until the window is closed. Then another window gets it.
      return new Promise(() => undefined);
    });
    document.addEventListener('visibilitychange', onChange);
  }

  get isAwake(): boolean {
    return this.#isKeeper || document.visibilityState === 'visible';
  }
}
