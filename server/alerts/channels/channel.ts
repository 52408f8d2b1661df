/** What every channel is: a way by which a message reaches a person. */

import type { Alert, Telling } from '../alert.js';
import { PrivateAddress } from '../request.js';

/** A message. It stays the same on every attempt. */
export interface Message {
  /** The same on every attempt, and for no other message. */
  readonly id: string;
  readonly alert: Alert;
  readonly telling: Telling;
  /** Of how many alerts it tells, if not of one. */
  readonly count?: number;
  readonly title: string;
  readonly text: string;
  /** When it was made, RFC 3339. */
  readonly at: string;
  /** Where the app shows the panel; '' where the server does not know its own address. */
  readonly link: string;
}

/**
 * What became of an attempt.
 * - `again`: it may succeed later, not before `afterMs`. With `attempts` it is tried so often in all, and is held up until then.
 * - `failed`: the same attempt would fail again. The reason is shown to the owner.
 */
export type Attempt =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'again';
      readonly reason: string;
      readonly afterMs?: number | undefined;
      readonly attempts?: number;
    }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Channel {
  /** Those that it reaches, by ids of its own. The ids have no dots. */
  targets(message: Message): readonly string[];
  /** Never rejects, and takes a bounded time. */
  send(message: Message, target: string): Promise<Attempt>;
}

/** The only target of a channel that has no others. */
export const ITSELF = 'itself';

/** What an HTTP status says of an attempt. */
export function attemptOf(status: number, afterMs: number | undefined): Attempt {
  const reason = `status ${status}`;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 408 || status === 429 || status >= 500) return { kind: 'again', reason, afterMs };
  return { kind: 'failed', reason };
}

/** What the failure of a request says of an attempt: the network may work later. */
export const notReached = (error: unknown): Attempt => ({
  kind: error instanceof PrivateAddress ? 'failed' : 'again',
  reason: (error as Error).message,
});
