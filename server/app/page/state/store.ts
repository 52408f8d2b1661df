import { type AppEvent, type AppState, reduce } from './app.js';

type Effect = (state: AppState, before: AppState) => void;

/** The state of the app, and the effects that follow its changes. */
export class Store {
  #state: AppState;
  readonly #effects: Effect[] = [];
  readonly #waiting: AppEvent[] = [];
  #isBusy = false;

  constructor(state: AppState) {
    this.#state = state;
  }

  get state(): AppState {
    return this.#state;
  }

  /** Calls the effect after every change. Effects run in the order in which they were added. */
  onChange(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** An event that an effect dispatches waits until all effects of the present event have run. */
  dispatch(event: AppEvent): void {
    this.#waiting.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const before = this.#state;
      this.#state = reduce(before, next);
      for (const effect of this.#effects) effect(this.#state, before);
    }
    this.#isBusy = false;
  }
}
