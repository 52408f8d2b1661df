import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DeviceRecord } from './device.js';

/** What a list sorts by, and selects by. */
type Keys = Pick<DeviceRecord, 'name' | 'status' | 'allow_insecure' | 'created_at' | 'updated_at'>;

export interface Listed extends Keys {
  readonly id: string;
}

/** Selects devices, and a range of them in an order. */
export interface DeviceQuery {
  /** Only these devices. Null selects all. */
  readonly ids: readonly string[] | null;
  /** Undefined: all match. */
  readonly matching: ((device: Listed) => boolean) | undefined;
  /** Devices that are equal in this come in the order of their ids. When it is undefined, all do. */
  readonly orderBy: keyof Keys | undefined;
  readonly descending: boolean;
  readonly start: number;
  readonly end: number;
}

export const EVERYTHING: DeviceQuery = {
  ids: null,
  matching: undefined,
  orderBy: 'created_at',
  descending: false,
  start: 0,
  end: Number.POSITIVE_INFINITY,
};

interface Entry extends Listed {
  /** Of its document. */
  readonly version: number;
}

type Compare = (one: Entry, other: Entry) => number;

/** The entries in an order that was asked for. */
interface Order {
  readonly compare: Compare;
  readonly entries: Entry[];
  /** While it is being sorted: the entries as they were, of devices that have changed since. */
  changed: Map<string, Entry | undefined> | undefined;
}

/** Sorting or looking at so many entries takes about a millisecond. */
const ENTRIES_A_TURN = 1000;

/**
 * All devices, in every order that was asked for. A page costs as much as the page is long, and a change costs the same
 * however many devices there are. To sort for the first time, and to filter, takes many turns of the event loop.
 */
export class Listing {
  readonly #entries = new Map<string, Entry>();
  readonly #orders = new Map<string, Promise<Order>>();
  /** Those that are sorted or being sorted. */
  readonly #kept = new Set<Order>();

  get size(): number {
    return this.#entries.size;
  }

  /** Whether this version of a device is there, or a later one. */
  knows(id: string, version: number): boolean {
    return (this.#entries.get(id)?.version ?? 0) >= version;
  }

  /** An older version than the one that is there changes nothing. */
  put(id: string, version: number, record: Keys): void {
    if (this.knows(id, version)) return;
    const known = this.#entries.get(id);
    const { name, status, allow_insecure, created_at, updated_at } = record;
    const entry = { id, version, name, status, allow_insecure, created_at, updated_at };
    this.#entries.set(id, entry);
    for (const order of this.#kept) replace(order, id, known, entry);
  }

  remove(id: string): void {
    const known = this.#entries.get(id);
    if (known === undefined) return;
    this.#entries.delete(id);
    for (const order of this.#kept) replace(order, id, known, undefined);
  }

  /** The ids of the selected devices, and how many match in all. */
  async select({ ids, matching, orderBy, descending, start, end }: DeviceQuery): Promise<{
    ids: string[];
    total: number;
  }> {
    const entries =
      ids === null
        ? (await this.#order(orderBy, descending)).entries
        : this.#some(ids).sort(comparison(orderBy, descending));
    if (matching !== undefined) return filtered([...entries], matching, start, end);
    return { ids: entries.slice(start, end).map(({ id }) => id), total: entries.length };
  }

  #some(ids: readonly string[]): Entry[] {
    return [...new Set(ids)].flatMap((id) => this.#entries.get(id) ?? []);
  }

  #order(orderBy: keyof Keys | undefined, descending: boolean): Promise<Order> {
    const key = `${orderBy} ${descending}`;
    const known = this.#orders.get(key) ?? this.#sort(comparison(orderBy, descending));
    this.#orders.set(key, known);
    return known;
  }

  async #sort(compare: Compare): Promise<Order> {
    const order: Order = { compare, entries: [], changed: new Map() };
    this.#kept.add(order);
    for await (const some of sortedInTurns([...this.#entries.values()], compare)) order.entries.push(...some);
    const { changed } = order;
    order.changed = undefined;
    for (const [id, before] of changed ?? []) replace(order, id, before, this.#entries.get(id));
    return order;
  }
}

function replace(order: Order, id: string, before: Entry | undefined, after: Entry | undefined): void {
  const { entries, compare, changed } = order;
  if (changed !== undefined) {
    if (!changed.has(id)) changed.set(id, before);
    return;
  }
  if (before !== undefined) entries.splice(placeOf(before, entries, compare), 1);
  if (after !== undefined) entries.splice(placeOf(after, entries, compare), 0, after);
}

/** Where the entry is, or belongs. */
function placeOf(entry: Entry, entries: readonly Entry[], compare: Compare): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(entries[middle] as Entry, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function filtered(
  entries: readonly Entry[],
  matching: (device: Listed) => boolean,
  start: number,
  end: number,
): Promise<{ ids: string[]; total: number }> {
  const ids: string[] = [];
  let total = 0;
  for (const [index, entry] of entries.entries()) {
    if (matching(entry)) {
      if (total >= start && total < end) ids.push(entry.id);
      total += 1;
    }
    if ((index + 1) % ENTRIES_A_TURN === 0) await nextTurn();
  }
  return { ids, total };
}

/** Sorts a batch in each turn, and merges the batches in further turns. */
async function* sortedInTurns(entries: readonly Entry[], compare: Compare): AsyncGenerator<Entry[]> {
  const batches: Entry[][] = [];
  for (let at = 0; at < entries.length; at += ENTRIES_A_TURN) {
    batches.push(entries.slice(at, at + ENTRIES_A_TURN).sort(compare));
    await nextTurn();
  }
  let some: Entry[] = [];
  for (const entry of merge(batches, compare)) {
    if (some.push(entry) < ENTRIES_A_TURN) continue;
    yield some;
    some = [];
    await nextTurn();
  }
  yield some;
}

/** All entries in order. They are compared only when they are taken. */
function* merge(sorted: readonly Entry[][], compare: Compare): Generator<Entry, undefined> {
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

function comparison(orderBy: keyof Keys | undefined, descending: boolean): Compare {
  const sign = descending ? -1 : 1;
  if (orderBy === undefined) return (one, other) => order(one.id, other.id);
  return (one, other) => sign * order(one[orderBy], other[orderBy]) || order(one.id, other.id);
}

const order = <T extends string | boolean>(one: T, other: T): number =>
  one < other ? -1 : one > other ? 1 : 0;
