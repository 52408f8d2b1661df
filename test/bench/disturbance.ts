/** A measurement that other programs disturbed is thrown away and made again. */

/** Of one core: more than the clock ticks of `/proc` are wrong by in a second. */
const MOST_OTHERS = 0.1;

/** The rule as it is printed. */
export const REPEAT_RULE =
  `A measurement is disturbed when other programs, or a hypervisor, took more than ${100 * MOST_OTHERS} % of one core on the ` +
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
  /** Measurements that count although they were disturbed. */
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

export const repeatsOf = (attempts: readonly Attempt<unknown>[]): Repeats => ({
  repeated: attempts.reduce((sum, { repeated }) => sum + repeated, 0),
  disturbed: attempts.filter(isDisturbed).length,
});

export const repeatsText = ({ repeated, disturbed }: Repeats): string =>
  `${repeated} disturbed measurements made again${disturbed > 0 ? `; ${disturbed} that count are DISTURBED` : ''}`;
