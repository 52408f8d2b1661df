/** The whole state of the app, and how each event changes it. Pure: effects are in `client/`. */

import type { TwinDocument } from '../../../../shared/document.js';
import { CURRENT, DESIRED } from '../../../../shared/panel.js';
import type { Order } from '../../../../shared/rest.js';
import { NO_NOTICES, type Notices } from './alerts.js';
import { endsPairing, type Fault } from './fault.js';
import { forgotten, isDone, type KeptOrder, keptOrder } from './kept-orders.js';
import { type Made, madeOf, recentOrders, withOrders } from './orders.js';
import {
  answered,
  isRinging,
  type Panel,
  type Presence,
  timed,
  unanswered,
  withDocument,
  withOnly,
  withoutDocument,
} from './panel.js';
import { joined, lastRinging, type Run, recent, runOf } from './runs.js';
import { DAY } from './time-text.js';
import type { Span } from './timeline.js';

export type Role = 'owner' | 'app' | 'reader';

/** The connection to the server. `since` is by this phone's clock, in milliseconds since 1970. */
export interface Link {
  readonly kind: 'connecting' | 'live' | 'lost';
  readonly since: number;
  /** When a lost one is tried again; absent while it is being tried. */
  readonly retryAt?: number | undefined;
}

/** What is open: a panel or their list, the settings of this phone, or the alerts. */
export type ScreenName = 'panels' | 'phone' | 'alerts';

export interface AppState {
  /** Undefined while the phone is not paired. */
  readonly token: string | undefined;
  /** Undefined until the server has said it. */
  readonly role: Role | undefined;
  /** This phone needs a PIN to disarm. */
  readonly hasPin: boolean;
  readonly link: Link;
  /** In the order of their names. */
  readonly panels: readonly Panel[];
  /** The server has said which panels there are. */
  readonly isListed: boolean;
  /** The panel that the person opened. */
  readonly openId: string | undefined;
  readonly screen: ScreenName;
  readonly notices: Notices;
  /** The last fault, until the person has read it. */
  readonly fault: Fault | undefined;
  /** The past of the panels that were opened, by their ids. */
  readonly past: Readonly<Record<string, readonly Run[]>>;
  /** The orders to the panels that were opened, by their ids, oldest first. */
  readonly orders: Readonly<Record<string, readonly Made[]>>;
  /** What was pressed while the server was away, by the panels' ids. The phone forgets it when the app is closed. */
  readonly kept: Readonly<Record<string, KeptOrder>>;
  /** The ringing panels for which this phone was silenced, until they stop. */
  readonly silenced: readonly string[];
  /** When the last ringing began that this phone has shown, by the panels' ids. */
  readonly seen: Readonly<Record<string, number>>;
  /** This phone's clock, as it ticks. */
  readonly now: number;
  /** How far the server's clock is ahead of this phone's. */
  readonly ahead: number;
}

export type AppEvent =
  | { type: 'ticked'; now: number }
  | { type: 'clock-compared'; ahead: number }
  | { type: 'paired'; token: string }
  | { type: 'unpaired'; fault?: Fault }
  | { type: 'recognised'; role: Role; hasPin: boolean }
  | { type: 'link'; kind: Link['kind']; now: number; retryAt?: number | undefined }
  | { type: 'listed'; panels: readonly Panel[]; now: number }
  | { type: 'opened'; id: string | undefined }
  | { type: 'screen-opened'; screen: ScreenName }
  | { type: 'notices'; change: Partial<Notices> }
  | { type: 'twin'; id: string; names: readonly string[]; now: number }
  | { type: 'document'; id: string; document: TwinDocument; now: number }
  | { type: 'document-deleted'; id: string; name: string; now: number }
  | { type: 'presence'; id: string; presence: Presence; now: number }
  | { type: 'kept'; id: string; order: Order; now: number }
  | { type: 'withdrawn'; id: string }
  | { type: 'asked'; id: string; order: Order; now: number }
  | { type: 'answered'; id: string; document: TwinDocument; now: number }
  | { type: 'failed'; id?: string; fault: Fault; now: number }
  | { type: 'fault-read' }
  | { type: 'past'; id: string; runs: readonly Run[]; orders: readonly Made[] }
  | { type: 'silenced'; id: string }
  | { type: 'heeded'; id: string }
  | { type: 'alarm-seen'; id: string };

/** How much of the past is kept. */
export const PAST_MS = 7 * DAY;

export const initial = (now: number): AppState => ({
  token: undefined,
  role: undefined,
  hasPin: false,
  link: { kind: 'connecting', since: now },
  panels: [],
  isListed: false,
  openId: undefined,
  screen: 'panels',
  notices: NO_NOTICES,
  fault: undefined,
  past: {},
  orders: {},
  kept: {},
  silenced: [],
  seen: {},
  now,
  ahead: 0,
});

export function reduce(state: AppState, event: AppEvent): AppState {
  switch (event.type) {
    case 'ticked':
      return outdated({ ...state, now: event.now });
    case 'clock-compared':
      return { ...state, ahead: event.ahead };
    case 'paired':
      return { ...initial(state.now), token: event.token };
    case 'unpaired':
      return { ...initial(state.now), fault: event.fault };
    case 'recognised':
      return { ...state, role: event.role, hasPin: event.hasPin };
    case 'link':
      return linked(state, event);
    case 'listed':
      return listed(state, event.panels, event.now);
    case 'opened':
      return { ...state, openId: event.id, screen: 'panels', fault: undefined };
    case 'screen-opened':
      return { ...state, screen: event.screen, fault: undefined };
    case 'notices':
      return { ...state, notices: { ...state.notices, ...event.change } };
    case 'twin':
      return changed(state, event.id, event.now, (panel) => withOnly(panel, event.names));
    case 'document':
      return told(state, event.id, event.document, event.now);
    case 'document-deleted':
      return changed(state, event.id, event.now, (panel) => withoutDocument(panel, event.name));
    case 'presence':
      return changed(state, event.id, event.now, (panel) => ({ ...panel, presence: event.presence }));
    case 'kept':
      return kept(state, event);
    case 'withdrawn':
      return { ...state, kept: forgotten(state.kept, event.id) };
    case 'asked':
      return asked(state, event);
    case 'answered':
      return changed(state, event.id, event.now, (panel) => answered(panel, event.document));
    case 'failed':
      return failed(state, event);
    case 'fault-read':
      return { ...state, fault: undefined };
    case 'past':
      return withPast(
        ordered(state, event.id, event.orders),
        event.id,
        joined(state.past[event.id] ?? [], event.runs),
      );
    case 'silenced':
      return seenAlarm({ ...state, silenced: [...new Set([...state.silenced, event.id])] }, event.id);
    case 'heeded':
      return { ...state, silenced: state.silenced.filter((id) => id !== event.id) };
    case 'alarm-seen':
      return seenAlarm(state, event.id);
  }
}

/** The server's clock. */
export const serverNow = ({ now, ahead }: AppState): number => now + ahead;

export const panelOf = ({ panels }: AppState, id: string | undefined): Panel | undefined =>
  panels.find((panel) => panel.id === id);

/** The ringing panel that covers the screen; the opened one comes first. */
export function alarming(state: AppState): Panel | undefined {
  const ringing = state.panels.filter((panel) => isRinging(panel) && !state.silenced.includes(panel.id));
  return ringing.find(({ id }) => id === shownId(state)) ?? ringing[0];
}

/** The opened panel is not on the server: it was removed, or the link is wrong. */
export const isGone = ({ openId, panels, isListed }: AppState): boolean =>
  openId !== undefined && isListed && !panels.some(({ id }) => id === openId);

/** The id of the panel whose screen is shown: the opened one, or the only one; undefined when the list is shown. */
export function shownId(state: AppState): string | undefined {
  const { openId, panels } = state;
  if (openId !== undefined) return isGone(state) ? undefined : openId;
  const [first, second] = panels.filter(({ isOther }) => !isOther);
  return second === undefined ? first?.id : undefined;
}

/** When a panel last rang, or has been ringing; undefined where that is not known. */
export function lastAlarm({ past, panels }: AppState, id: string): Span | undefined {
  const panel = panels.find((each) => each.id === id);
  const { from, to } = lastRinging(past[id] ?? []) ?? {};
  if (from !== undefined && to !== undefined) return { from, to };
  return panel?.current !== undefined && isRinging(panel)
    ? { from: panel.current.at, to: panel.current.at }
    : undefined;
}

/** A ringing that is over and that this phone has not shown. */
export function missedAlarm(state: AppState, id: string): Span | undefined {
  const panel = panelOf(state, id);
  const last = lastAlarm(state, id);
  if (panel === undefined || last === undefined || isRinging(panel)) return undefined;
  return last.from > (state.seen[id] ?? 0) ? last : undefined;
}

function seenAlarm(state: AppState, id: string): AppState {
  const last = lastAlarm(state, id);
  return last === undefined ? state : { ...state, seen: { ...state.seen, [id]: last.from } };
}

function asked(state: AppState, { id, order, now }: AppEvent & { type: 'asked' }): AppState {
  const next = { ...state, fault: undefined, kept: forgotten(state.kept, id) };
  return changed(seenAlarm(next, id), id, now, (panel) => ({ ...panel, asked: order }));
}

/** The order that may not have reached the server is kept in its place. */
function kept(state: AppState, { id, order, now }: AppEvent & { type: 'kept' }): AppState {
  const next = { ...state, fault: undefined, kept: { ...state.kept, [id]: keptOrder(order, now) } };
  return changed(next, id, now, unanswered);
}

/** What was kept for too long is not sent any more, and the app says so. */
function outdated(state: AppState): AppState {
  const old = Object.keys(state.kept).filter((id) => (state.kept[id]?.until ?? 0) <= state.now);
  return old.length === 0 ? state : { ...state, kept: old.reduce(forgotten, state.kept), fault: 'not-sent' };
}

function linked(state: AppState, { kind, now, retryAt }: AppEvent & { type: 'link' }): AppState {
  const { kind: as, since } = nextLink(state.link, kind, now);
  const link: Link = { kind: as, since, ...(retryAt !== undefined && { retryAt }) };
  const panels = state.panels.map((panel) => timed(panel, panel, link.kind === 'live', now));
  return { ...state, link, panels };
}

function nextLink(link: Link, kind: Link['kind'], now: number): Link {
  // A connection stays lost while it is tried again.
  if (link.kind === kind || (link.kind === 'lost' && kind === 'connecting')) return link;
  return { kind, since: link.kind === 'connecting' && kind === 'lost' ? link.since : now };
}

function listed(state: AppState, panels: readonly Panel[], now: number): AppState {
  const known = new Map(state.panels.map((panel) => [panel.id, panel]));
  const isLive = state.link.kind === 'live';
  const merged = panels.map((panel) => {
    const before = known.get(panel.id);
    // For the panel that is shown, the events are newer than the list.
    if (before !== undefined && panel.id === shownId(state) && isLive) return { ...before, name: panel.name };
    return timed(
      before,
      before?.asked === undefined ? panel : { ...panel, asked: before.asked },
      isLive,
      now,
    );
  });
  return heeding({ ...state, panels: merged, isListed: true });
}

function changed(state: AppState, id: string, now: number, change: (panel: Panel) => Panel): AppState {
  const isLive = state.link.kind === 'live';
  const panels = state.panels.map((panel) =>
    panel.id === id ? timed(panel, change(panel), isLive, now) : panel,
  );
  return heeding({ ...state, panels });
}

function told(state: AppState, id: string, document: TwinDocument, now: number): AppState {
  const next = changed(state, id, now, (panel) => withDocument(panel, document));
  const past = state.past[id];
  // Before the past is read, it does not begin with this.
  if (past === undefined) return next;
  const made = document.document_name === DESIRED ? madeOf(document) : undefined;
  const run = document.document_name === CURRENT ? runOf(document) : undefined;
  if (made !== undefined) return ordered(next, id, [made]);
  return run === undefined ? next : withPast(next, id, joined(past, [run]));
}

function ordered(state: AppState, id: string, newer: readonly Made[]): AppState {
  const orders = withOrders(state.orders[id] ?? [], newer);
  return { ...state, orders: { ...state.orders, [id]: recentOrders(orders, serverNow(state) - PAST_MS) } };
}

function withPast(state: AppState, id: string, runs: readonly Run[]): AppState {
  return { ...state, past: { ...state.past, [id]: recent(runs, serverNow(state) - PAST_MS) } };
}

function failed(state: AppState, { id, fault, now }: AppEvent & { type: 'failed' }): AppState {
  // The server has never let this phone in.
  if (fault === 'revoked' && state.role === undefined && !state.isListed)
    return { ...initial(state.now), fault: 'wrong-code' };
  if (endsPairing(fault)) return { ...initial(state.now), fault };
  const next = { ...state, fault, hasPin: state.hasPin || fault === 'pin-needed' };
  return id === undefined ? next : changed(next, id, now, unanswered);
}

/**
 * A panel that has stopped ringing is no longer silenced: its next alarm is shown. What was kept for a panel that is
 * disarmed meanwhile is not sent.
 */
function heeding(before: AppState): AppState {
  const done = before.panels.filter((panel) => before.kept[panel.id] !== undefined && isDone(panel));
  const state =
    done.length === 0 ? before : { ...before, kept: done.map(({ id }) => id).reduce(forgotten, before.kept) };
  const silenced = state.silenced.filter((id) =>
    state.panels.some((panel) => panel.id === id && isRinging(panel)),
  );
  return silenced.length === state.silenced.length ? state : { ...state, silenced };
}
