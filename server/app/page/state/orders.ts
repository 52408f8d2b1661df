/** The orders to a panel and their writers: the versions of its `desired`. Pure; times in milliseconds since 1970. */

import type { TwinDocument } from '../../../../shared/document.js';
import { isDesiredDocument } from '../../../../shared/panel.js';

/** One press of a button, or one use of a key switch. */
export interface Made {
  readonly at: number;
  readonly armed: boolean;
  readonly request?: string;
  /** Absent where the panel wrote it, or the server did not know yet who writes. */
  readonly by?: string;
}

/** The order in one version of `desired`; undefined where there is none. */
export function madeOf({ data, updated_at, updated_by: by }: TwinDocument): Made | undefined {
  const at = Date.parse(updated_at);
  if (!isDesiredDocument(data) || Number.isNaN(at)) return undefined;
  const { alarm_armed: armed, request } = data;
  return {
    at,
    armed,
    ...(typeof request === 'string' && { request }),
    ...(typeof by === 'string' && { by }),
  };
}

/** Appends newer orders, oldest first. A version that changes a delay only is no order. */
export function withOrders(known: readonly Made[], newer: readonly Made[]): readonly Made[] {
  const all = [...known];
  for (const made of newer) {
    const last = all.at(-1);
    if (last === undefined || (made.at > last.at && !isSame(last, made))) all.push(made);
  }
  return all;
}

const isSame = (one: Made, other: Made): boolean =>
  one.armed === other.armed && one.request === other.request;

/** Those since a time, and the one that stood then. */
export function recentOrders(orders: readonly Made[], since: number): readonly Made[] {
  const first = orders.findIndex(({ at }) => at >= since);
  const from = first === -1 ? orders.length - 1 : first - 1;
  return from > 0 ? orders.slice(from) : orders;
}

/** A panel reports what it did at the door in two messages, in this time. */
const TOGETHER_MS = 5000;

/** What armed or disarmed the panel at a time: the writer of an order, or a person at the door; undefined where it is not known. */
export function causeOf(
  orders: readonly Made[],
  armed: boolean,
  at: number,
): { by: string } | 'door' | undefined {
  const last = orders.filter((made) => made.at <= at).at(-1);
  const isReported = (made: Made) => made.armed === armed && made.at > at && made.at <= at + TOGETHER_MS;
  const made = last?.armed === armed ? last : orders.find(isReported);
  if (made === undefined) return undefined;
  if (made.by !== undefined) return { by: made.by };
  return orders.some((other) => other.at < made.at && other.by !== undefined) ? 'door' : undefined;
}
