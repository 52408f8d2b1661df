/** Lets one call of the file system after the other fail, as if the process had ended there. */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CHANGING = ['rename', 'mkdir', 'copyFile', 'writeFile', 'rm', 'chown', 'unlink', 'open', 'cp'] as const;

/** A call that fails. From then on every call does, because the process is gone. */
async function failingAt(at: number, work: () => Promise<unknown>): Promise<boolean> {
  const promises = fs.promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const real = Object.fromEntries(CHANGING.map((name) => [name, promises[name]]));
  let calls = 0;
  let hasFailed = false;
  for (const name of CHANGING) {
    promises[name] = async (...args) => {
      calls += 1;
      if (calls >= at) {
        hasFailed = true;
        throw new Error('the process has ended');
      }
      return real[name]?.apply(fs.promises, args);
    };
  }
  syncBuiltinESMExports();
  try {
    await work();
  } catch (thrown) {
    if (!hasFailed) throw thrown;
  } finally {
    Object.assign(fs.promises, real);
    syncBuiltinESMExports();
  }
  return hasFailed;
}

/**
 * Does the work again and again, each time on what `begin` makes, and lets it end one call later each time, until it comes
 * through. After each end `look` is called.
 * @returns how many calls there are
 */
export async function atEachStep(
  begin: () => Promise<unknown>,
  work: () => Promise<unknown>,
  look: (step: number) => Promise<void>,
): Promise<number> {
  for (let step = 1; ; step += 1) {
    await begin();
    const hasFailed = await failingAt(step, work);
    await look(step);
    if (!hasFailed) return step - 1;
  }
}
