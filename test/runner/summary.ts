/** What one run of a test file came to, judged from its exit and from uvu's closing lines. */

import { stripVTControlCharacters } from 'node:util';

export interface Counts {
  total: number;
  passed: number;
  skipped: number;
}

/** How a process ended. `output` is stdout and stderr as they came. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
  /** It was killed after it had printed nothing for so long. */
  silentSeconds?: number;
}

export interface Verdict {
  passed: number;
  failed: number;
  skipped: number;
  /** Why the file failed; empty when it passed. */
  faults: string[];
}

const CLOSING_LINES = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm;

/** uvu's counts, or undefined when the output does not close with them. */
export function parseCounts(output: string): Counts | undefined {
  const [, total, passed, skipped] =
    [...stripVTControlCharacters(output).matchAll(CLOSING_LINES)].at(-1) ?? [];
  if (total === undefined) return undefined;
  return { total: Number(total), passed: Number(passed), skipped: Number(skipped) };
}

/** uvu alone would pass a file whose suite forgot `.run()`, or whose process ended before its tests did. */
export function judge(ending: Ending, skipsFail: boolean): Verdict {
  const counts = parseCounts(ending.output);
  const { total, passed, skipped } = counts ?? { total: 0, passed: 0, skipped: 0 };
  const { silentSeconds } = ending;
  const silent = silentSeconds !== undefined;
  const refusedSkips = skipsFail ? skipped : 0;
  const faults = [
    silent && counts && `still running ${silentSeconds} s after its last test: something is left open`,
    silent && !counts && `printed nothing for ${silentSeconds} s`,
    !silent && ending.signal && `ended by ${ending.signal}`,
    ending.code !== null && ending.code !== 0 && `exit code ${ending.code}`,
    !counts && 'ended without a summary: is .run() missing?',
    counts && total + skipped === 0 && 'no test ran',
    refusedSkips > 0 && `${refusedSkips} skipped, which CI=true does not allow`,
  ].filter((fault) => typeof fault === 'string');
  const failed = total - passed + refusedSkips;
  return { passed, failed: faults.length > 0 ? Math.max(failed, 1) : failed, skipped, faults };
}
