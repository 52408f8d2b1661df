/** A press on "Disarm" that did not reach the server: it is kept for a while, shown, and sent when the server answers. */

import type { Order } from '../../../../shared/rest.js';
import type { Panel } from './panel.js';

export interface KeptOrder {
  readonly order: Order;
  /** From then on it is not sent, by this phone's clock. */
  readonly until: number;
}

/** A person who pressed knows for so long that they did. */
export const KEPT_MS = 120_000;

export const keptOrder = (order: Order, now: number): KeptOrder => ({
  order,
  until: now + KEPT_MS,
});

type KeptOrders = Readonly<Record<string, KeptOrder>>;

export function forgotten(kept: KeptOrders, id: string): KeptOrders {
  const { [id]: _, ...rest } = kept;
  return rest;
}

/** Whether the panel is disarmed without it. */
export const isDone = ({ current }: Panel): boolean => current?.data.alarm_armed === false;
