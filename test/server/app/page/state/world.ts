/** Panels, documents and runs for the tests of the app's state, which speaks English in them. */

import { type AppEvent, type AppState, initial, reduce } from '../../../../../server/app/page/state/app.js';
import { newPanel, type Panel } from '../../../../../server/app/page/state/panel.js';
import type { Run } from '../../../../../server/app/page/state/runs.js';
import { speak } from '../../../../../server/app/page/state/say.js';
import { speechOf } from '../../../../../server/app/speech.js';
import type { TwinDocument } from '../../../../../shared/document.js';
import type { CurrentDocument } from '../../../../../shared/panel.js';

speak(speechOf('en'));

export const ID = '0c8a1c2e-5b7d-4f3a-9e61-2d4b8f7a6c10';
export const OTHER_ID = '6f1d2b3c-4a5e-4c7d-8b9a-0e1f2a3b4c5d';
export const TOKEN = 'ed7a5adc-40c1-4f50-821b-36d87bb5c2bf';

/** A moment to count from. */
export const T = Date.parse('2026-03-02T12:00:00.000Z');
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

const document = (document_name: string, data: object, at: number, version: number): TwinDocument => ({
  twin_id: ID,
  document_name,
  version,
  data: data as TwinDocument['data'],
  created_at: new Date(T).toISOString(),
  updated_at: new Date(at).toISOString(),
});

interface Said {
  armed?: boolean;
  open?: boolean;
  ringing?: boolean;
  /** Further keys of `current`. */
  more?: Partial<CurrentDocument>;
}

export const current = (
  { armed = false, open = false, ringing = false, more = {} }: Said,
  at = T,
  version = 1,
) =>
  document('current', { alarm_armed: armed, door_open: open, siren_ringing: ringing, ...more }, at, version);

export const desired = (armed: boolean, at = T, version = 1): TwinDocument =>
  document('desired', { alarm_armed: armed }, at, version);

export const other = (data: object): TwinDocument => document('current', data, T, 1);

export const connected: Panel = newPanel(ID, 'Front door', { isConnected: true, at: T - HOUR });
export const away: Panel = newPanel(ID, 'Front door', { isConnected: false, at: T - HOUR });

/** A run from one time to another, each in minutes after T; versions as if one came each minute. */
export const run = (
  from: number,
  to: number,
  { armed = false, open = false, ringing = false }: Said = {},
): Run => ({
  armed,
  open,
  ringing,
  from: T + from * MINUTE,
  to: T + to * MINUTE,
  first: 1000 + from,
  last: 1000 + to,
});

export const after = (state: AppState, ...events: AppEvent[]): AppState => events.reduce(reduce, state);

/** A paired phone with a live connection that follows the panel. */
export const following = (panel: Panel, ...events: AppEvent[]): AppState =>
  after(
    initial(T),
    { type: 'paired', token: TOKEN },
    { type: 'link', kind: 'live', now: T },
    { type: 'listed', panels: [panel], now: T },
    ...events,
  );

/** The one panel of the phone. */
export function only({ panels: [panel] }: AppState): Panel {
  if (panel === undefined) throw new Error('there is no panel');
  return panel;
}
