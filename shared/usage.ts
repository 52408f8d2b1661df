/** What every command says about its command line: the help, the version, and what is wrong. Pure. */

import { callOf, nameOf } from './call.js';
import { VERSION } from './version.js';

/** The command line is wrong. The message is one line that says how it would be right. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The options that every program has. */
export const ABOUT_OPTIONS = { help: { type: 'boolean' }, version: { type: 'boolean' } } as const;

/** What a program prints for them, and nothing else; undefined when neither is given. */
export const aboutText = (given: { help?: boolean; version?: boolean }, help: string): string | undefined =>
  given.help ? help : given.version ? VERSION : undefined;

/** The exit status of a program. A command may have others, which its help names. */
export const EXIT = { failed: 1, usage: 2 } as const;

/** The exit status of a program that failed with this. */
export const exitStatus = (error: unknown): number =>
  error instanceof UsageError ? EXIT.usage : EXIT.failed;

/** The candidate that is most like a word, if one is like it. The package `leven` has a function of this form. */
export type ClosestMatch = (
  word: string,
  candidates: readonly string[],
  options: { readonly maxDistance: number },
) => string | undefined;

/** `: did you mean …?` with the known word that was probably meant, or nothing when none is like it. */
export function didYouMean(word: string, known: readonly string[], closestMatch: ClosestMatch): string {
  const completed = known.filter((each) => word !== '' && each.startsWith(word));
  const maxDistance = Math.floor(word.length / 3);
  const meant = completed.length === 1 ? completed[0] : closestMatch(word, known, { maxDistance });
  return meant === undefined ? '' : `: did you mean ${meant}?`;
}

/**
 * @param options the options that there are, by name
 * @throws UsageError for what `parse` throws, which is Node's `parseArgs` as a rule
 */
export function understood<T>(parse: () => T, options: object, closestMatch: ClosestMatch): T {
  try {
    return parse();
  } catch (error) {
    const [first = ''] = (error as Error).message.split(/\. (?=To specify)|\n/);
    const [, unknown] = /^Unknown option '--?(.+)'$/.exec(first) ?? [];
    if (unknown === undefined) throw new UsageError(first);
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(first + didYouMean(`--${unknown}`, known, closestMatch));
  }
}

/** @throws UsageError when the option was not given */
export function required(option: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError(`--${option} is missing`);
  return value;
}

/** @throws UsageError when the value has another form; `expected` says which it should have */
export function matching(option: string, value: string, form: RegExp, expected: string): string {
  if (form.test(value)) return value;
  throw new UsageError(`--${option}: expected ${expected}`);
}

/**
 * What a command prints when it fails: one line, and for a wrong command line where its help is.
 * @param script as in `npm run <script>`
 */
export function failureText(script: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${nameOf(script)}: ${message}${error instanceof UsageError ? ` (see ${callOf(script)} --help)` : ''}`;
}
