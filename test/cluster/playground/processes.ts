/** The processes that belong to a directory, also those that others have started, as Linux lists them. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** How often, and how many milliseconds apart, it is looked whether all have ended. */
const [LOOKS, EVERY_MS] = [250, 20];

/** The ids of those that run in the directory, or have it in their command line or environment. */
export const processesOf = (directory: string): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => {
      const sources = [
        () => readlinkSync(`/proc/${pid}/cwd`),
        () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
        () => readFileSync(`/proc/${pid}/environ`, 'utf8'),
      ];
      return sources.some((source) => attempt(source).includes(directory));
    });

/** Its name; empty when it has ended. */
export const nameOf = (pid: number): string =>
  attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).trim();

/** Kills them all, and returns when none is left: this process may be about to exit. */
export function killProcessesOf(directory: string): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let look = 0; look < LOOKS; look += 1) {
    const pids = processesOf(directory);
    if (pids.length === 0) return;
    for (const pid of pids) attempt(() => process.kill(pid, 'SIGKILL'));
    Atomics.wait(clock, 0, 0, EVERY_MS);
  }
}

/** Empty where the process has ended meanwhile. */
function attempt<T>(act: () => T): T | '' {
  try {
    return act();
  } catch {
    return '';
  }
}
