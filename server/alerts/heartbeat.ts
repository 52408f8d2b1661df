import type { Logger } from 'pino';
import { type Leadership, whileLeading } from '../leadership.js';
import { tellWhileWorking } from '../proof.js';
import { send } from './request.js';

/** In milliseconds. */
const HEARTBEAT_LIMITS = {
  everyMs: 60_000,
  /** How long the server may take to prove that it works. */
  proofMs: 10_000,
};

interface Parts {
  /** A service elsewhere, which tells the owner when this server is silent. */
  readonly url: string;
  /** Resolves when the alerts and the storage have done something. */
  readonly prove: () => Promise<void>;
  readonly leadership: Leadership;
  readonly log: Logger;
  readonly limits?: Partial<typeof HEARTBEAT_LIMITS> | undefined;
}

/**
 * Asks the URL as long as the server leads and works: its alerts go on, and its storage takes a write. An HTTP server that
 * still answers is no proof of that. Returns a function that ends it.
 */
export const startHeartbeat = ({ url, prove, leadership, log, limits }: Parts): (() => void) =>
  whileLeading(leadership, () =>
    tellWhileWorking({
      ...HEARTBEAT_LIMITS,
      ...limits,
      prove,
      tell: async () => {
        const options = { url: new URL(url), headers: {}, body: '', allowPrivate: true };
        const { status } = await send({ ...options, method: 'GET' });
        if (status >= 400) throw new Error(`status ${status}`);
      },
      onFailure: ({ message }) => log.warn({ reason: message }, 'no heartbeat'),
    }),
  );
