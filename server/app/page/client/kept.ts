/** What the phone keeps: the pairing, and the last known state, which the app shows at its next start. */

import { type AppState, PAST_MS, type Role } from '../state/app.js';
import type { Made } from '../state/orders.js';
import { lasting, type Panel } from '../state/panel.js';
import { type Run, recent } from '../state/runs.js';
import { KEY, type TextStorage } from './kept-token.js';

interface Kept {
  readonly token: string;
  readonly role: Role | undefined;
  readonly panels: readonly Panel[];
  readonly past: Readonly<Record<string, readonly Run[]>>;
  readonly orders: Readonly<Record<string, readonly Made[]>>;
  readonly seen: Readonly<Record<string, number>>;
}

/** What the phone has kept; undefined when it has kept nothing. */
export function recall(storage: TextStorage, now: number): Kept | undefined {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? 'null') as Kept | null;
    if (kept === null || typeof kept.token !== 'string') return undefined;
    const past = Object.entries(kept.past).map(([id, runs]) => [id, recent(runs, now - PAST_MS)]);
    // What an older version of the app has kept has no orders.
    return { ...kept, past: Object.fromEntries(past), orders: kept.orders ?? {} };
  } catch {
    // Another program wrote it, or the browser keeps nothing for this page. The app begins without it.
    return undefined;
  }
}

export function keep(storage: TextStorage, { token, role, panels, past, orders, seen }: AppState): void {
  try {
    if (token === undefined) storage.removeItem(KEY);
    else
      storage.setItem(KEY, JSON.stringify({ token, role, panels: panels.map(lasting), past, orders, seen }));
  } catch {
    // There is no room, or the browser forbids it. The app works, and must be paired again the next time.
  }
}
