/** The app without its screen: pairing, the session, what is kept, sound and notifications. */

import type { Order } from '../../../../shared/rest.js';
import { type AppState, alarming, initial, panelOf, type ScreenName } from '../state/app.js';
import {
  ALERTS_FRAGMENT,
  PHONE_FRAGMENT,
  panelFragment,
  panelInFragment,
  tokenInFragment,
} from '../state/fragment.js';
import { isRinging, wantedOf } from '../state/panel.js';
import { Store } from '../state/store.js';
import { Bell } from './bell.js';
import type { Desk } from './desk.js';
import type { Early } from './early.js';
import { keep, recall } from './kept.js';
import { later, loadLater } from './later-parts.js';
import type { NoticeWork } from './notice-work.js';
import { notify, withdraw } from './notices.js';
import { Session } from './session.js';
import type { SettingsWork } from './settings-work.js';
import { Vigil } from './vigil.js';
import { hearWorker } from './worker-message.js';

const TICK_MS = 1000;
/** The phone slept when its clock went on by so much between two ticks. */
const SLEPT_MS = 10_000;

export interface Program {
  readonly store: Store;
  order(id: string, order: Order): void;
  /** Tries at once to reach the server. */
  retry(): void;
  /** Alerts, and how they reach this phone; undefined while it is not paired. */
  readonly notices: NoticeWork | undefined;
  /** Undefined while this phone is not paired. */
  readonly settings: SettingsWork | undefined;
  /** Gives this phone a PIN, or takes it away with null. @param current the one that it has */
  setPin(pin: string | null, current: string | undefined): void;
  pair(token: string): void;
  unpair(): void;
}

/** @param base `/iot/v1/regions/…` */
export function startProgram(base: string): Program {
  const now = Date.now();
  const store = new Store({ ...initial(now), ...recall(localStorage, now) });
  let session: Session | undefined;
  let desk: Desk | undefined;

  const follow = (state: AppState, before: AppState): void => {
    if (session === undefined || state.token !== before.token) {
      session?.end();
      session =
        state.token === undefined
          ? undefined
          : new Session(store, base, state.token, () => desk?.notices.read(), earlyFor(state.token));
      desk = session && later()?.deskOf(session, store);
    }
    session?.follow(state, before, vigil.isAwake);
  };
  /** What else the app needs is loaded when the first screen is there, or when it is not to be had. */
  const goOn = ({ token, isListed, link }: AppState): void => {
    if (token !== undefined && !isListed && link.kind !== 'lost') return;
    loadLater(({ deskOf }) => {
      desk = session && deskOf(session, store);
      desk?.notices.read();
      // Draws what waited for it.
      store.dispatch({ type: 'ticked', now: Date.now() });
    });
  };
  const vigil = new Vigil(() => follow(store.state, store.state));
  store.onChange(follow);
  store.onChange(goOn);
  store.onChange(keepChanges);
  store.onChange(endPush);
  store.onChange(raiseAlarm(new Bell()));
  followAddress(store);
  follow(store.state, store.state);
  goOn(store.state);
  watchClock(store, () => session?.wake());
  hearWorker((message) => {
    location.hash = message.panelId === null ? ALERTS_FRAGMENT : panelFragment(message.panelId);
    // It is not disarmed before the person does that in the app: it may need a PIN, and a touch may be a mistake.
    if (message.kind === 'disarm' && message.panelId !== null)
      store.dispatch({ type: 'heeded', id: message.panelId });
  });
  return {
    store,
    order: (id, order) => session?.order(id, order),
    setPin: (pin, current) => session?.setPin(pin, current),
    retry: () => session?.wake(),
    get notices() {
      return desk?.notices;
    },
    get settings() {
      return desk?.settings;
    },
    pair: (token) => store.dispatch({ type: 'paired', token }),
    unpair: () => store.dispatch({ type: 'unpaired' }),
  };
}

/** The answer that came while the app was on its way, if it is for this token. */
const earlyFor = (token: string): Promise<Response> | undefined => {
  const { early } = globalThis as { early?: Early };
  return early?.token === token ? early.answer : undefined;
};

const SCREENS: Readonly<Record<string, ScreenName>> = {
  [PHONE_FRAGMENT]: 'phone',
  [ALERTS_FRAGMENT]: 'alerts',
};

/** `#token=…` pairs, `#panel=…` opens a panel, `#phone` the settings of this phone, `#alerts` the alerts, all else the list. */
function followAddress(store: Store): void {
  const read = () => {
    const token = tokenInFragment(location.hash);
    if (token !== undefined) {
      // The token must stay neither in the address bar nor in the history.
      history.replaceState(null, '', location.pathname);
      if (token !== store.state.token) store.dispatch({ type: 'paired', token });
    }
    const screen = SCREENS[location.hash];
    if (screen !== undefined) store.dispatch({ type: 'screen-opened', screen });
    else store.dispatch({ type: 'opened', id: panelInFragment(location.hash) });
  };
  addEventListener('hashchange', read);
  read();
}

/** Ticks while the page is visible, and notices when the phone slept, was without its network, or is looked at again. */
function watchClock(store: Store, wake: () => void): void {
  let tickedAt = Date.now();
  const tick = () => {
    const now = Date.now();
    const slept = now - tickedAt > SLEPT_MS;
    tickedAt = now;
    if (document.visibilityState === 'visible') store.dispatch({ type: 'ticked', now });
    if (slept) wake();
  };
  setInterval(tick, TICK_MS);
  for (const kind of ['visibilitychange', 'pageshow', 'focus', 'online']) {
    addEventListener(kind, () => {
      tick();
      if (document.visibilityState === 'visible') wake();
    });
  }
}

function keepChanges(state: AppState, before: AppState): void {
  const isSame =
    state.token === before.token &&
    state.role === before.role &&
    state.panels === before.panels &&
    state.past === before.past &&
    state.orders === before.orders &&
    state.seen === before.seen;
  if (!isSame) keep(localStorage, state);
}

/** A phone that is no longer paired gets no messages. */
function endPush(state: AppState, before: AppState): void {
  if (state.token !== undefined || before.token === undefined) return;
  later()
    ?.switchOff()
    .catch((error: unknown) => console.warn(error));
}

/** Rings, and shows a notification, while a panel rings and this phone is not silenced. */
const raiseAlarm = (bell: Bell) => {
  addEventListener('pointerdown', () => bell.allow(), { once: true });
  return (state: AppState, before: AppState): void => {
    const panel = alarming(state);
    bell.ring(panel !== undefined && wantedOf(panel) !== false);
    if (state.panels === before.panels) return;
    for (const now of state.panels) {
      const was = panelOf(before, now.id);
      if (isRinging(now) && (was === undefined || !isRinging(was))) notify(now);
      else if (!isRinging(now) && was !== undefined && isRinging(was)) withdraw(now.id);
    }
  };
};
