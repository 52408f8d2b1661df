/** The work between a paired phone and the server: reads the list, follows one panel, and reads its past. */

import type { Waits } from '../../../../shared/backoff.js';
import { CURRENT, DESIRED } from '../../../../shared/panel.js';
import type { Order } from '../../../../shared/rest.js';
import { type AppEvent, type AppState, type Link, PAST_MS, serverNow, shownId } from '../state/app.js';
import { endsPairing, type Fault } from '../state/fault.js';
import { newsOf } from '../state/news.js';
import { madeOf } from '../state/orders.js';
import { runsOf } from '../state/runs.js';
import type { Store } from '../state/store.js';
import { Api, Failed } from './api.js';
import { loadIn } from './language-choice.js';
import { Live } from './live.js';
import { NoticeWork } from './notice-work.js';
import { Poll } from './poll.js';
import { SettingsWork } from './settings-work.js';

const WAITS: Waits = { backOffMin: 500, backOffMax: 15_000 };
/** The server sends something every 15 s. This is more than twice as long. */
const SILENCE_MS = 35_000;
/** The time between two looks at the list: while it is shown, while one of several panels is, and while the only one is. */
const PAUSES_MS = { list: 5000, others: 15_000, alone: 60_000 };
/** The Date header has whole seconds, and an answer takes time to arrive. A smaller difference does not count. */
const CLOCK_TOLERANCE_MS = 3000;

export class Session {
  readonly #store: Store;
  readonly #api: Api;
  readonly #live: Live;
  readonly #poll: Poll;
  /** Alerts, and how they reach this phone. */
  readonly notices: NoticeWork;
  readonly settings: SettingsWork;
  #isOver = false;

  constructor(store: Store, base: string, token: string) {
    this.#store = store;
    this.#api = new Api(base, token, (serverTime) => this.#compareClocks(serverTime));
    this.#live = new Live({
      ...WAITS,
      silenceMs: SILENCE_MS,
      open: (id, signal) => this.#api.events(id, signal),
      onLink: (kind) => this.#tell({ type: 'link', kind, now: Date.now() }),
      onEvent: (id, kind, data) => {
        const news = newsOf(id, kind, data, Date.now());
        if (news !== undefined) this.#tell(news);
      },
      onRefused: (fault) => {
        this.#fail(fault);
        this.#poll.now();
      },
    });
    this.notices = new NoticeWork({
      store,
      api: this.#api,
      tell: (event) => this.#tell(event),
      fail: (error) => this.#fail(faultIn(error)),
    });
    this.settings = new SettingsWork({
      api: this.#api,
      onEnded: () => this.#tell({ type: 'unpaired' }),
      onRenamed: () => this.#poll.now(),
      load: loadIn,
      fail: (error) => this.#fail(faultIn(error)),
    });
    this.#poll = new Poll(
      () => this.#look(),
      () => PAUSES_MS[this.#scene],
      WAITS,
    );
  }

  /** Follows the panel that is shown, while this window is awake. The caller calls it at every change. */
  follow(state: AppState, before: AppState, isAwake: boolean): void {
    const id = shownId(state);
    this.#live.follow(isAwake ? id : undefined);
    if (state.screen !== before.screen) {
      this.notices.read();
      // The pause until the next look may be one for another screen.
      this.#poll.now();
    }
    // A panel that is opened and not known may have been made since the last look.
    if (state.openId !== before.openId && state.openId !== undefined && state.openId !== id) this.#poll.now();
    // Each panel has a new connection when it is followed, so this also holds for another panel.
    const isNew = state.link.kind === 'live' && before.link.kind !== 'live';
    if (id !== undefined && isNew) this.#readPast(id);
  }

  async order(id: string, order: Order): Promise<void> {
    this.#tell({ type: 'asked', id, order, now: Date.now() });
    try {
      const document = await this.#api.order(id, order);
      this.#tell({ type: 'answered', id, document, now: Date.now() });
    } catch (error) {
      this.#fail(faultIn(error), id);
    }
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

  get #scene(): keyof typeof PAUSES_MS {
    const { state } = this.#store;
    if (shownId(state) === undefined || state.screen !== 'panels') return 'list';
    return state.panels.length > 1 ? 'others' : 'alone';
  }

  async #look(): Promise<boolean> {
    try {
      const [panels] = await Promise.all([this.#api.panels(), this.#recognise()]);
      this.#tellLink('live');
      this.#tell({ type: 'listed', panels, now: Date.now() });
      this.notices.read();
      return true;
    } catch (error) {
      const fault = faultIn(error);
      if (endsPairing(fault)) this.#fail(fault);
      else this.#tellLink('lost');
      return false;
    }
  }

  /** A look at the list says whether the server is there, while no live connection says it better. */
  #tellLink(kind: Link['kind']): void {
    if (shownId(this.#store.state) === undefined) this.#tell({ type: 'link', kind, now: Date.now() });
  }

  async #recognise(): Promise<void> {
    if (this.#store.state.role !== undefined) return;
    this.#tell({ type: 'recognised', role: await this.#api.role() });
  }

  async #readPast(id: string): Promise<void> {
    const { state } = this.#store;
    const since = serverNow(state) - PAST_MS;
    try {
      const [reports, orders] = await Promise.all([
        this.#api.history(id, CURRENT, state.past[id]?.at(-1)?.to ?? since),
        this.#api.history(id, DESIRED, state.orders[id]?.at(-1)?.at ?? since),
      ]);
      const made = orders.reverse().map(madeOf);
      this.#tell({
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
      this.#tell({ type: 'clock-compared', ahead });
  }

  /** An answer that comes after the end of the session is dropped: the phone may be paired anew. */
  #tell(event: AppEvent): void {
    if (!this.#isOver) this.#store.dispatch(event);
  }

  #fail(fault: Fault, id?: string): void {
    this.#tell({ type: 'failed', fault, now: Date.now(), ...(id !== undefined && { id }) });
  }
}

const faultIn = (error: unknown): Fault => (error instanceof Failed ? error.fault : 'server-fault');
