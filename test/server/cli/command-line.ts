/** The command line in this process, against the REST interface in it. */

import * as assert from 'uvu/assert';
import { parseCommandLine } from '../../../server/cli/arguments.js';
import type { Call } from '../../../server/cli/command.js';
import { COMMANDS } from '../../../server/cli/commands.js';
import { runCommand } from '../../../server/cli/run-command.js';
import type { TestRest } from '../rest/rest.js';

type Terminal = Pick<Call, 'print' | 'ask'>;

async function run(rest: TestRest, args: string[], terminal: Terminal): Promise<void> {
  const line = parseCommandLine(args, { TWIN_URL: rest.url, TWIN_TOKEN: rest.token }, COMMANDS);
  if (line === 'version' || 'helpOf' in line) throw new Error('no command');
  await runCommand(line, terminal);
}

/** What it prints, where there is no terminal to ask at. */
export const say = (rest: TestRest, ...args: string[]): Promise<string> => answer(rest, args, undefined);

/** What it prints. @param ask stands for the person at the terminal */
export async function answer(rest: TestRest, args: string[], ask: Terminal['ask']): Promise<string> {
  let printed = '';
  const print = async (text: string): Promise<void> => {
    printed += `${text}\n`;
  };
  await run(rest, args, { print, ask });
  return printed;
}

/** What it fails with. */
export async function failure(
  rest: TestRest,
  args: string[],
  terminal: Partial<Terminal> = {},
): Promise<Error> {
  const print = async (): Promise<void> => undefined;
  const error = await run(rest, args, { print, ask: undefined, ...terminal }).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  if (error === undefined) throw new Error(`it did not fail: ${args.join(' ')}`);
  return error;
}

/** What it says, when it fails: one line. */
export async function fail(
  rest: TestRest,
  args: string[],
  terminal: Partial<Terminal> = {},
): Promise<string> {
  const { message } = await failure(rest, args, terminal);
  assert.not.match(message, '\n');
  return message;
}
