import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DeviceRecord } from './device.js';

/** Selects devices, and a range of them in an order. */
export interface DeviceQuery {
  /** Only these devices. Null selects all. */
  readonly ids: readonly string[] | null;
  readonly matching: (record: DeviceRecord) => boolean;
  /** Devices that are equal in this come in the order of their ids. When it is undefined, all do. */
  readonly orderBy: 'name' | 'status' | 'created_at' | 'updated_at' | 'allow_insecure' | undefined;
  readonly descending: boolean;
  readonly start: number;
  readonly end: number;
}

export const EVERYTHING: DeviceQuery = {
  ids: null,
  matching: () => true,
  orderBy: 'created_at',
  descending: false,
  start: 0,
  end: Number.POSITIVE_INFINITY,
};

interface Row {
  readonly id: string;
  readonly key: string | boolean;
}

type Compare = (one: Row, other: Row) => number;

// Merging so many rows takes about a millisecond.
const ROWS_A_TURN = 1000;

/**
 * The ids of the selected devices, and how many match in all. Each batch is sorted in its own turn of the event loop,
 * and the result is merged in several turns, so that other work does not wait for all devices.
 */
export async function selectIds(
  batches: AsyncIterable<readonly (readonly [string, DeviceRecord])[]>,
  { matching, orderBy, descending, start, end }: DeviceQuery,
): Promise<{ ids: string[]; total: number }> {
  const compare = orderOf(descending ? -1 : 1);
  const sorted: Row[][] = [];
  let total = 0;
  for await (const batch of batches) {
    const rows = batch
      .filter(([, record]) => matching(record))
      .map(([id, record]) => ({ id, key: orderBy === undefined ? '' : record[orderBy] }));
    total += rows.length;
    sorted.push(rows.sort(compare));
    await nextTurn();
  }
  return { ids: await take(merge(sorted, compare), start, end), total };
}

async function take(rows: Iterable<Row>, start: number, end: number): Promise<string[]> {
  const ids: string[] = [];
  let seen = 0;
  for (const { id } of rows) {
    if (seen >= end) break;
    if (seen >= start) ids.push(id);
    seen += 1;
    if (seen % ROWS_A_TURN === 0) await nextTurn();
  }
  return ids;
}

/** All rows in order. Rows are compared only when they are taken. */
function* merge(sorted: readonly Row[][], compare: Compare): Generator<Row, undefined> {
  if (sorted.length < 2) return yield* sorted[0] ?? [];
  const middle = sorted.length >> 1;
  const [left, right] = [merge(sorted.slice(0, middle), compare), merge(sorted.slice(middle), compare)];
  let [one, other] = [left.next().value, right.next().value];
  while (one !== undefined || other !== undefined) {
    if (other === undefined || (one !== undefined && compare(one, other) <= 0)) {
      if (one !== undefined) yield one;
      one = left.next().value;
    } else {
      yield other;
      other = right.next().value;
    }
  }
}

const orderOf =
  (sign: 1 | -1): Compare =>
  (one, other) =>
    sign * order(one.key, other.key) || order(one.id, other.id);

const order = <T extends string | boolean>(one: T, other: T): number =>
  one < other ? -1 : one > other ? 1 : 0;
