/** What stays on the phone: the pairing, and what was known last, so that the app has something to show at once. */

import { type AppState, PAST_MS, type Role } from '../state/app.js';
import { lasting, type Panel } from '../state/panel.js';
import { type Run, recent } from '../state/runs.js';

/** Changes with the form of what is kept; what another form left is not read. */
const KEY = 'alarm-twin-1';

/** What keeps texts, as the browser's own storage does. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

interface Kept {
  readonly token: string;
  readonly role: Role | undefined;
  readonly panels: readonly Panel[];
  readonly past: Readonly<Record<string, readonly Run[]>>;
  readonly seen: Readonly<Record<string, number>>;
}

/** What an earlier visit left, or undefined. */
export function recall(storage: TextStorage, now: number): Kept | undefined {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? 'null') as Kept | null;
    if (kept === null || typeof kept.token !== 'string') return undefined;
    const past = Object.entries(kept.past).map(([id, runs]) => [id, recent(runs, now - PAST_MS)]);
    return { ...kept, past: Object.fromEntries(past) };
  } catch {
    // Written by something else, or the browser keeps nothing for this page: it begins anew.
    return undefined;
  }
}

export function keep(storage: TextStorage, { token, role, panels, past, seen }: AppState): void {
  try {
    if (token === undefined) storage.removeItem(KEY);
    else storage.setItem(KEY, JSON.stringify({ token, role, panels: panels.map(lasting), past, seen }));
  } catch {
    // No room, or nothing may be kept: the app works, and must be paired again the next time.
  }
}
