/** What the phone knows of one panel, and how each event changes it. Pure. */

import { DEFAULT_MODE, isCurrentDocument, legible } from '../../../../shared/current-document.js';
import type { TwinDocument } from '../../../../shared/document.js';
import {
  CURRENT,
  type CurrentDocument,
  DESIRED,
  type DesiredDocument,
  isDesiredDocument,
  type Mode,
} from '../../../../shared/panel.js';
import { plainText } from '../../../../shared/plain-text.js';
import type { Order } from '../../../../shared/rest.js';

/** One version of a document; `at` is the server's clock at its write, in milliseconds since 1970. */
interface Version<Data> {
  readonly version: number;
  readonly at: number;
  readonly data: Data;
}

export interface Presence {
  readonly isConnected: boolean;
  /** When it connected, or was last heard, by the server's clock, in milliseconds since 1970; absent: never. */
  readonly at?: number;
}

export interface Panel {
  readonly id: string;
  readonly name: string;
  readonly presence: Presence;
  /** The panel's last report. */
  readonly current?: Version<CurrentDocument>;
  /** The last order to it. */
  readonly desired?: Version<DesiredDocument>;
  /** Its `current` is that of a device that is no alarm panel. */
  readonly isOther: boolean;
  /** What this phone ordered, until the server has answered. */
  readonly asked?: Order;
  /** Since when the panel is connected and not as ordered, by this phone's clock. */
  readonly differsSince?: number;
}

export const newPanel = (id: string, name: string, presence: Presence): Panel => ({
  id,
  name: plainText(name),
  presence,
  isOther: false,
});

/** The order that stands, that of this phone first; undefined when there is none, or when the panel has refused it. */
export const wantedOf = (panel: Panel): boolean | undefined => orderOf(panel)?.armed;

/** The mode of the order that stands; undefined when there is none. */
export const wantedMode = (panel: Panel): Mode | undefined => {
  const order = orderOf(panel);
  return order === undefined ? undefined : (order.mode ?? DEFAULT_MODE);
};

function orderOf(panel: Panel): Order | undefined {
  const { asked, desired } = panel;
  if (asked !== undefined) return asked;
  if (desired === undefined || isRefused(panel)) return undefined;
  const { alarm_armed: armed, mode } = desired.data;
  return mode === undefined ? { armed } : { armed, mode };
}

/** Whether the panel has seen the present `desired` and says that it does not follow it. `outcomeOf` in `wait.ts` has the same rule. */
function isRefused({ current, desired }: Panel): boolean {
  if (current === undefined || desired === undefined) return false;
  const { refused, handled, fault, alarm_armed } = current.data;
  // The version of a `desired` that was deleted may be higher than that of the present one.
  if (current.at < desired.at || (handled ?? desired.version) < desired.version) return false;
  if (refused !== undefined) return true;
  return handled !== undefined && fault !== undefined && alarm_armed !== desired.data.alarm_armed;
}

/** Whether the panel is not as ordered. */
export function differs(panel: Panel): boolean {
  const order = orderOf(panel);
  if (order === undefined) return false;
  const { alarm_armed, mode } = panel.current?.data ?? {};
  if (order.armed !== alarm_armed) return true;
  return order.armed && mode !== undefined && mode !== (order.mode ?? DEFAULT_MODE);
}

export const isRinging = ({ current }: Panel): boolean => current?.data.siren_ringing === true;

/** The panel with this version of a document. Only `current` and `desired` change it. */
export function withDocument(panel: Panel, document: TwinDocument): Panel {
  const { document_name, version, updated_at, data } = document;
  const known = { version, at: Date.parse(updated_at) };
  if (document_name === CURRENT) {
    if (isCurrentDocument(data))
      return { ...panel, current: { ...known, data: legible(data) }, isOther: false };
    return { ...without(panel, 'current'), isOther: true };
  }
  if (document_name === DESIRED && isDesiredDocument(data)) return { ...panel, desired: { ...known, data } };
  return panel;
}

/** The panel after this document was deleted. */
export function withoutDocument(panel: Panel, name: string): Panel {
  if (name === CURRENT) return { ...without(panel, 'current'), isOther: false };
  if (name === DESIRED) return without(panel, 'desired');
  return panel;
}

/** The panel whose twin has these documents and no others. */
export const withOnly = (panel: Panel, names: readonly string[]): Panel =>
  [CURRENT, DESIRED].filter((name) => !names.includes(name)).reduce(withoutDocument, panel);

/** The panel after the server's answer to an order. An event that came meanwhile may be newer than the answer. */
export function answered(panel: Panel, document: TwinDocument): Panel {
  const settled = without(panel, 'asked');
  const isOlder = (panel.desired?.at ?? 0) > Date.parse(document.updated_at);
  return isOlder ? settled : withDocument(settled, document);
}

/** The panel after an order that failed. */
export const unanswered = (panel: Panel): Panel => without(panel, 'asked');

/** The panel as the phone keeps it. */
export const lasting = (panel: Panel): Panel => without(unanswered(panel), 'differsSince');

/** Begins and ends the time that the panel takes to follow an order. It runs only while the panel is connected. */
export function timed(before: Panel | undefined, panel: Panel, isLive: boolean, now: number): Panel {
  if (!isLive || !panel.presence.isConnected || !differs(panel)) return without(panel, 'differsSince');
  const isSame = before !== undefined && wantedOf(before) === wantedOf(panel);
  const since = isSame ? before.differsSince : undefined;
  return { ...panel, differsSince: since ?? now };
}

function without<Key extends 'current' | 'desired' | 'asked' | 'differsSince'>(
  panel: Panel,
  key: Key,
): Panel {
  if (panel[key] === undefined) return panel;
  const { [key]: _, ...rest } = panel;
  return rest as Panel;
}
