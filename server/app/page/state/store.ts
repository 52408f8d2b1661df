import { type AppEvent, type AppState, reduce } from './app.js';

type Effect = (state: AppState, before: AppState) => void;

/** The state, and who acts upon its changes. */
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

  /** Calls back after every change, in the order of the calls here. */
  onChange(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** An event that an effect causes comes after every effect of the one before. */
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
