/**
 * Tells systemd how the server is (sd_notify(3)): that it serves, that it goes on working, that it stops. Node has no
 * datagram sockets of Unix, and a package that adds them needs a compiler, so systemd's own program sends the messages.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { tellWhileWorking } from './proof.js';

/** How long a message may take, in milliseconds. */
const MESSAGE_MS = 5000;

interface Service {
  /** The server serves. From now on it must prove that it works. @param prove resolves when it has */
  ready(prove: () => Promise<void>): Promise<void>;
  /** The server has begun to stop. Resolves when systemd has heard that. */
  stopping(): Promise<void>;
}

/** The service manager that started this process, or undefined where none waits for messages. */
export function serviceOf(environment: NodeJS.ProcessEnv, log: Logger): Service | undefined {
  if (!environment.NOTIFY_SOCKET) return undefined;
  let last = Promise.resolve();
  let isStopping = false;
  let end = (): void => undefined;
  /** One after the other: a message must not overtake the one before. */
  const send = (...words: string[]): Promise<void> => {
    last = last
      .then(() => promisify(execFile)('systemd-notify', words, { timeout: MESSAGE_MS }))
      .then(
        () => undefined,
        (error: Error) => log.error({ reason: error.message }, `systemd did not hear: ${words.join(', ')}`),
      );
    return last;
  };
  return {
    async ready(prove) {
      await send('READY=1', 'STATUS=serving');
      const everyMs = watchdogMs(environment) / 2;
      if (everyMs === 0 || isStopping) return;
      end = tellWhileWorking({
        everyMs,
        proofMs: everyMs,
        prove,
        tell: () => send('WATCHDOG=1', 'STATUS=serving'),
        onFailure: ({ message }) => {
          log.error({ reason: message }, 'no proof for the watchdog, which will restart the server');
          send(`STATUS=does not work: ${message}`);
        },
      });
    },
    stopping() {
      isStopping = true;
      end();
      return send('STOPPING=1', 'STATUS=stopping');
    },
  };
}

/** How long the watchdog waits for a message, 0 being for ever (sd_watchdog_enabled(3)). */
const watchdogMs = ({ WATCHDOG_USEC = '0', WATCHDOG_PID }: NodeJS.ProcessEnv): number =>
  WATCHDOG_PID === undefined || WATCHDOG_PID === `${process.pid}` ? Number(WATCHDOG_USEC) / 1000 : 0;
