/** What an attack is, and what it is given: a device and tokens that may do as little as possible. */

import type { Address } from '../../../server/config.js';
import type { Credentials } from '../load/mqtt.js';

/** What the program of an attack reads. */
export interface AttackJob {
  readonly attack: string;
  readonly http: Address;
  readonly mqtt: Address;
  /** A device that may have several connections. */
  readonly device: Credentials;
  /** Tokens for the twin of that device only. */
  readonly app: string;
  readonly reader: string;
}

export interface Scene extends AttackJob {
  /** The address that the attack comes from. */
  readonly from: string;
  /** Counts what the attack did and what it got, so that a row shows whether there was an attack. */
  readonly count: (what: string, times?: number) => void;
}

export interface Attack {
  /** The title of the row. */
  readonly what: string;
  /** It comes from the address of the household, or from another one. */
  readonly from: 'household' | 'elsewhere';
  /** It is tried on a server with a small heap too. */
  readonly onSmallHeap?: true;
  /** The household connects only when the attack has begun. */
  readonly householdComesAgain?: true;
  /** The server is started again before the attack. */
  readonly serverStartsAgain?: true;
  /** Makes what the attack needs, and gives the function that begins the attack. */
  readonly prepare: (scene: Scene) => Promise<() => void>;
}

export const ADDRESSES: Readonly<Record<Attack['from'], string>> = {
  household: '127.0.0.1',
  elsewhere: '127.0.0.2',
};

/** An attacker whose connection was closed comes again after so many milliseconds. */
export const AGAIN_MS = 100;
