/** What can be done to a device and by it, in random order. */

import { TCP, TRANSPORTS, type Transport } from '../server/mqtt/transports.js';
import type { Random } from './random.js';

interface Connect {
  readonly kind: 'connect';
  /** Which of the clients. */
  readonly client: number;
  /** Which of the houses; its device connects. */
  readonly house: number;
  readonly clientId: string;
  readonly willed: boolean;
  readonly transport: Transport;
}

interface OfClient {
  readonly kind: 'goodbye' | 'vanish' | 'half-close' | 'garbage' | 'ask';
  readonly client: number;
}

interface OfHouse {
  readonly kind: 'disable' | 'enable' | 'delete' | 'renew' | 'follow' | 'unfollow';
  readonly house: number;
}

export type Deed = Connect | OfClient | OfHouse;

/** Deeds that are done at the same time. */
export type Step = readonly Deed[];

const CLIENTS = 5;
/** The device of the first may have one connection, that of the second several. */
export const HOUSES = 2;
const MOST_STEPS = 12;
const MOST_AT_ONCE = 3;

const times = <T>(count: number, value: T): T[] => new Array<T>(count).fill(value);

const KINDS: readonly Deed['kind'][] = [
  ...times(8, 'connect' as const),
  ...times(3, 'ask' as const),
  ...times(2, 'vanish' as const),
  ...times(2, 'goodbye' as const),
  ...times(2, 'enable' as const),
  ...(['half-close', 'garbage', 'disable', 'renew', 'follow', 'follow', 'unfollow'] as const),
];

function deedOf(random: Random, kind: Deed['kind']): Deed {
  const [client, house] = [random.below(CLIENTS), random.below(HOUSES)];
  switch (kind) {
    case 'connect': {
      const clientId = random.oneOf(['', 'a', 'b']);
      const transport = random.once(4) ? random.oneOf(TRANSPORTS) : TCP;
      return { kind, client, house, clientId, willed: random.once(2), transport };
    }
    case 'ask':
    case 'vanish':
    case 'goodbye':
    case 'half-close':
    case 'garbage':
      return { kind, client };
    default:
      return { kind, house };
  }
}

export const stepsOf = (random: Random): Step[] =>
  random.some(MOST_STEPS, () =>
    random.some(random.once(2) ? 1 : MOST_AT_ONCE, () =>
      deedOf(random, random.once(60) ? 'delete' : random.oneOf(KINDS)),
    ),
  );

export const showStep = (step: Step): string =>
  step
    .map((deed) => {
      const { kind, ...rest } = deed;
      return [kind, ...Object.entries(rest).map(([key, value]) => `${key} ${nameOf(value)}`)].join(' ');
    })
    .join(' | ');

const nameOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'name' in value ? String(value.name) : JSON.stringify(value);
