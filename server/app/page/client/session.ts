/** The work between a paired phone and the server: reads the list, follows one panel, and reads its past. */

import { CURRENT, DESIRED } from '../../../../shared/panel.js';
import type { Order } from '../../../../shared/rest.js';
import { type AppEvent, type AppState, type Link, PAST_MS, serverNow, shownId } from '../state/app.js';
import { endsPairing, type Fault } from '../state/fault.js';
import { newsOf } from '../state/news.js';
import { madeOf } from '../state/orders.js';
import { isRinging } from '../state/panel.js';
import { runsOf } from '../state/runs.js';
import type { Store } from '../state/store.js';
import { Api, Failed } from './api.js';
import { Live } from './live.js';
import { PAUSES } from './pauses.js';
import { Poll } from './poll.js';

/** The Date header has whole seconds, and an answer takes time to arrive. A smaller difference does not count. */
const CLOCK_TOLERANCE_MS = 3000;

export class Session {
  readonly #store: Store;
  readonly api: Api;
  readonly #live: Live;
  readonly #poll: Poll;
  readonly #onLook: () => void;
  #isOver = false;

  /**
   * @param onLook is called at each look at the list, and when another screen is shown
   * @param early see Api
   */
  constructor(store: Store, base: string, token: string, onLook: () => void, early?: Promise<Response>) {
    this.#store = store;
    this.#onLook = onLook;
    this.api = new Api(base, token, (serverTime) => this.#compareClocks(serverTime), early);
    const waits = { ...PAUSES.away, longestWait: () => this.#longestWait };
    this.#live = new Live({
      ...waits,
      answerMs: PAUSES.answer,
      silenceMs: PAUSES.silence,
      open: (id, signal) => this.api.events(id, signal),
      onLink: (kind, now, retryAt) => this.tell({ type: 'link', kind, now, retryAt }),
      onEvent: (id, kind, data) => {
        const news = newsOf(id, kind, data, Date.now());
        if (news !== undefined) this.tell(news);
      },
      onRefused: (fault) => {
        // The list says that the panel is gone.
        if (fault !== 'panel-unknown') this.#fail(fault);
        this.#poll.now();
      },
    });
    this.#poll = new Poll(
      () => this.#look(),
      () => PAUSES.looks[this.#scene],
      { ...waits, onAway: (retryAt) => this.#tellLink('lost', retryAt) },
    );
  }

  /** Follows the panel that is shown, while this window is awake. The caller calls it at every change. */
  follow(state: AppState, before: AppState, isAwake: boolean): void {
    const id = shownId(state);
    this.#live.follow(isAwake ? id : undefined);
    if (state.screen !== before.screen) {
      this.#onLook();
      // The pause until the next look may be one for another screen.
      this.#poll.now();
    }
    // A panel that is opened and not known may have been made since the last look.
    if (state.openId !== before.openId && state.openId !== undefined && state.openId !== id) this.#poll.now();
    // Each panel has a new connection when it is followed, so this also holds for another panel.
    const isNew = state.link.kind === 'live' && before.link.kind !== 'live';
    if (id !== undefined && isNew) this.#readPast(id);
    if (isNew) this.#sendKept();
  }

  /** Sends an order. One to disarm that does not reach the server is kept, see `kept-orders.ts`. */
  async order(id: string, order: Order): Promise<void> {
    const keep = () => this.tell({ type: 'kept', id, order, now: Date.now() });
    if (!order.armed && this.#store.state.link.kind === 'lost') return keep();
    this.tell({ type: 'asked', id, order, now: Date.now() });
    try {
      const document = await this.api.order(id, order);
      this.tell({ type: 'answered', id, document, now: Date.now() });
    } catch (error) {
      const fault = faultIn(error);
      if (order.armed || fault !== 'server-away') return this.#fail(fault, id);
      keep();
      this.#live.wake();
      setTimeout(() => this.#poll.now(), PAUSES.awayRinging);
    }
  }

  /** Something of the list has changed. */
  look(): void {
    this.#poll.now();
  }

  wake(): void {
    this.#live.wake();
    this.#poll.now();
  }

  end(): void {
    this.#isOver = true;
    this.#live.follow(undefined);
    this.#poll.end();
  }

  get #longestWait(): number {
    const { panels, kept } = this.#store.state;
    const isUrgent = panels.some(isRinging) || Object.keys(kept).length > 0;
    return isUrgent ? PAUSES.awayRinging : PAUSES.away.backOffMax;
  }

  #sendKept(): void {
    // What is too old by now must not be sent.
    this.tell({ type: 'ticked', now: Date.now() });
    for (const [id, { order }] of Object.entries(this.#store.state.kept)) this.order(id, order);
  }

  get #scene(): keyof typeof PAUSES.looks {
    const { state } = this.#store;
    if (shownId(state) === undefined || state.screen !== 'panels') return 'list';
    return state.panels.length > 1 ? 'others' : 'alone';
  }

  async #look(): Promise<boolean> {
    try {
      const { role, hasPin, panels } = await this.api.overview();
      this.#tellLink('live');
      this.tell({ type: 'recognised', role, hasPin });
      this.tell({ type: 'listed', panels, now: Date.now() });
      this.#onLook();
      this.#sendKept();
      return true;
    } catch (error) {
      const fault = faultIn(error);
      if (endsPairing(fault)) this.#fail(fault);
      return false;
    }
  }

  /** A look at the list says whether the server is there, while no live connection says it better. */
  #tellLink(kind: Link['kind'], retryAt?: number): void {
    if (shownId(this.#store.state) === undefined) this.tell({ type: 'link', kind, now: Date.now(), retryAt });
  }

  /** @param current the PIN that this phone has */
  async setPin(pin: string | null, current: string | undefined): Promise<void> {
    try {
      await this.api.setPin(pin, current);
      const { role = 'app' } = this.#store.state;
      this.tell({ type: 'recognised', role, hasPin: pin !== null });
    } catch (error) {
      this.#fail(faultIn(error));
    }
  }

  async #readPast(id: string): Promise<void> {
    const { state } = this.#store;
    const since = serverNow(state) - PAST_MS;
    try {
      const [reports, orders] = await Promise.all([
        this.api.history(id, CURRENT, state.past[id]?.at(-1)?.to ?? since),
        this.api.history(id, DESIRED, state.orders[id]?.at(-1)?.at ?? since),
      ]);
      const made = orders.reverse().map(madeOf);
      this.tell({
        type: 'past',
        id,
        runs: runsOf(reports),
        orders: made.filter((each) => each !== undefined),
      });
    } catch {
      // The live connection says that it is lost. When it is back, the past is read again.
    }
  }

  #compareClocks(serverTime: number): void {
    const now = Date.now();
    const ahead = serverTime - now;
    if (Math.abs(ahead - this.#store.state.ahead) > CLOCK_TOLERANCE_MS)
      this.tell({ type: 'clock-compared', ahead });
  }

  /** An answer that comes after the end of the session is dropped: the phone may be paired anew. */
  tell(event: AppEvent): void {
    if (!this.#isOver) this.#store.dispatch(event);
  }

  /** Something that was asked has failed. */
  fail(error: unknown): void {
    this.#fail(faultIn(error));
  }

  #fail(fault: Fault, id?: string): void {
    this.tell({ type: 'failed', fault, now: Date.now(), ...(id !== undefined && { id }) });
  }
}

const faultIn = (error: unknown): Fault => (error instanceof Failed ? error.fault : 'server-fault');
