import type { Logger } from 'pino';
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
  readonly log: Logger;
  readonly limits?: Partial<typeof HEARTBEAT_LIMITS> | undefined;
}

/**
 * Asks the URL as long as the server works: its alerts go on, and its storage takes a write. An HTTP server that still
 * answers is no proof of that. Returns a function that ends it.
 */
export function startHeartbeat({ url, prove, log, limits }: Parts): () => void {
  const { everyMs, proofMs } = { ...HEARTBEAT_LIMITS, ...limits };
  async function beat(): Promise<void> {
    try {
      await within(proofMs, prove());
      const { status } = await send({
        url: new URL(url),
        method: 'GET',
        headers: {},
        body: '',
        allowPrivate: true,
      });
      if (status >= 400) throw new Error(`status ${status}`);
    } catch (error) {
      log.warn({ reason: (error as Error).message }, 'no heartbeat');
    }
  }
  beat();
  const timer = setInterval(beat, everyMs);
  return () => clearInterval(timer);
}

async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the server has not done its work within ${ms / 1000} s`)), ms);
  });
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
