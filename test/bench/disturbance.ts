/** A measurement that other programs disturbed is thrown away and made again. */

import type { Bench } from './bench.js';
import { watchOthers } from './core.js';
import { CORES } from './program.js';

/** Of one core: more than the clock ticks of `/proc` are wrong by in a second. */
const MOST_OTHERS = 0.1;

/** The rule as it is printed. */
export const REPEAT_RULE =
  `A measurement is disturbed when other programs, or a hypervisor, took more than ${100 * MOST_OTHERS} % of one core on the\n` +
  `cores of the bench. It is made again, as often as --repeats allows; then the least disturbed one counts.`;

export interface Attempt<T> {
  result: T;
  /** What others took meanwhile, as a share of one core, where it is known. */
  others: number | undefined;
  /** How many were thrown away. */
  repeated: number;
}

export interface Repeats {
  /** Measurements that were thrown away and made again. */
  repeated: number;
  /** Measurements that count. */
  counted: number;
  /** Those of them that were disturbed. */
  disturbed: number;
}

export interface Repeatable<T> {
  measure(): Promise<T>;
  /** Comes after each try. */
  settle(): Promise<void>;
  /** Begins to look at others; the function that it gives tells their share of one core. */
  watch(): () => number | undefined;
  /** How many tries may be thrown away. */
  repeats: number;
}

const isDisturbed = ({ others = 0 }: { others: number | undefined }): boolean => others > MOST_OTHERS;

/** Measures until others disturb no more, and else gives the least disturbed of all tries. */
export async function undisturbed<T>({
  measure,
  settle,
  watch,
  repeats,
}: Repeatable<T>): Promise<Attempt<T>> {
  let least: { result: T; others: number | undefined } | undefined;
  for (let repeated = 0; ; repeated += 1) {
    const watched = watch();
    const result = await measure();
    const attempt = { result, others: watched() };
    await settle();
    if (least === undefined || (attempt.others ?? 0) < (least.others ?? 0)) least = attempt;
    if (!isDisturbed(attempt) || repeated >= repeats) return { ...least, repeated };
  }
}

/** The same beside all that runs on the cores of the bench. @param settle comes after each try */
export const steadily = <T>(
  bench: Bench,
  measure: () => Promise<T>,
  settle: () => Promise<void> = async () => {},
): Promise<Attempt<T>> =>
  undisturbed({
    measure,
    settle,
    watch: () => watchOthers(() => bench.ownSeconds, CORES && Object.values(CORES)),
    repeats: bench.options.repeats ?? 0,
  });

/** One that takes turns with others. */
export interface Contender<T> {
  measure(): Promise<T>;
  /** Comes after each try. */
  settle?(): Promise<void>;
  /** What is shown of a round. */
  said(result: T): string;
  /** What counts, one a round. */
  readonly results: T[];
}

/** Lets all contenders measure in turn, A B A B …, and fills their results. */
export async function takeTurns<T>(bench: Bench, contenders: readonly Contender<T>[]): Promise<Repeats> {
  const { rounds } = bench.options;
  const attempts: Attempt<T>[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const { measure, settle, said, results } of contenders) {
      const attempt = await steadily(bench, measure, settle);
      attempts.push(attempt);
      results.push(attempt.result);
      bench.progress(`round ${round} of ${rounds}: ${said(attempt.result)}${againText(attempt)}`);
    }
  }
  return repeatsOf(attempts);
}

/** All rounds of a row that has no peer to take turns with. @param said what is shown of a round */
export async function steadyRounds<T>(
  bench: Bench,
  measure: () => Promise<T>,
  said: (result: T) => string,
): Promise<{ results: T[]; repeats: Repeats }> {
  const results: T[] = [];
  const repeats = await takeTurns(bench, [{ measure, said, results }]);
  return { results, repeats };
}

/** What is added to the words on a measurement that was made again. */
const againText = ({ repeated }: Attempt<unknown>): string =>
  repeated > 0 ? `, made ${repeated + 1} times` : '';

export const repeatsOf = (attempts: readonly Attempt<unknown>[]): Repeats => ({
  repeated: attempts.reduce((sum, { repeated }) => sum + repeated, 0),
  counted: attempts.length,
  disturbed: attempts.filter(isDisturbed).length,
});

/** Whether so many were disturbed that the middle of them says nothing. */
export const isDoubtful = ({ counted, disturbed }: Repeats): boolean => disturbed > counted / 2;

export const repeatsText = ({ repeated, counted, disturbed }: Repeats): string =>
  `${repeated} disturbed measurements made again${disturbed > 0 ? `; ${disturbed} of the ${counted} that count are DISTURBED` : ''}`;
