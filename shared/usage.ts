/** What every command says about a command line that is wrong. Pure. */

import { callOf } from './call.js';

/** The command line is wrong. The message is one line that says how it would be right. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** @throws UsageError for what `parse` throws, which is Node's `parseArgs` as a rule */
export function understood<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const [first = ''] = (error as Error).message.split(/\. (?=To specify)|\n/);
    throw new UsageError(first);
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
  return `${script}: ${message}${error instanceof UsageError ? ` (see ${callOf(script)} --help)` : ''}`;
}
