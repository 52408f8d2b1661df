import { Api } from './api.js';
import type { CommandLine } from './arguments.js';
import { type Call, formOf, NAMED_WORDS } from './command.js';
import { idsOf } from './names.js';

/** Runs a command that was parsed. Names that were given for ids are looked up first. */
export async function runCommand(line: CommandLine, terminal: Pick<Call, 'print' | 'ask'>): Promise<void> {
  const { command, access, ...rest } = line;
  const api = new Api(access);
  const form = formOf(command);
  const words: string[] = [];
  for (const [index, typed] of rest.words.entries()) {
    const kind = NAMED_WORDS[form[index]?.word ?? ''];
    words.push(...(kind === undefined ? [typed] : await idsOf(api, kind, [typed])));
  }
  await command.run({ ...rest, ...terminal, words, api });
}
