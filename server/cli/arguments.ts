/** The command line, parsed. */

import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { DEFAULT_REGION, DEFAULT_URL } from '../../shared/rest.js';
import { didYouMean, UsageError, understood } from '../../shared/usage.js';
import type { Access } from './api.js';
import {
  type Call,
  COMMAND_OPTIONS,
  type Command,
  type CommandOption,
  formOf,
  type Given,
  type Option,
  WORD_VALUES,
} from './command.js';

/** Every command takes these. */
export const COMMON_OPTIONS = {
  url: { type: 'string', value: 'URL', help: `where the server is (default TWIN_URL, or ${DEFAULT_URL})` },
  token: { type: 'string', value: 'UUID', help: 'the token (default TWIN_TOKEN)' },
  region: {
    type: 'string',
    value: 'NAME',
    help: `the region in the server's paths (default TWIN_REGION, or ${DEFAULT_REGION})`,
  },
  json: { type: 'boolean', help: 'print JSON on stdout, and nothing else there' },
  help: { type: 'boolean', help: 'print the help of the command' },
} as const satisfies Record<string, Option>;

/** These stand alone, without a command. */
export const PROGRAM_OPTIONS = {
  version: { type: 'boolean', help: 'print the version of this program' },
} as const satisfies Record<string, Option>;

const OPTIONS: Record<string, Option> = { ...COMMON_OPTIONS, ...COMMAND_OPTIONS, ...PROGRAM_OPTIONS };

export interface CommandLine extends Pick<Call, 'words' | 'given' | 'json'> {
  readonly command: Command;
  readonly access: Access;
}

/** What is asked for: a command, the help of all commands or of some, or the version. */
type Wish = CommandLine | { readonly helpOf: readonly string[] } | 'version';

type Commands = ReadonlyMap<string, Command>;

/** @throws UsageError */
export function parseCommandLine(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  commands: Commands,
): Wish {
  const { values, positionals } = understood(
    () => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true }),
    OPTIONS,
    closestMatch,
  );
  const { url, token, region, json = false, help = false, version = false, ...given } = values as Values;
  if (positionals.length === 0) return version && !help ? 'version' : { helpOf: [...commands.keys()] };
  const name = nameIn(positionals, commands);
  if (name === undefined) {
    const below = namesBelow(positionals[0] ?? '', commands);
    if (help && below.length > 0) return { helpOf: below };
    throw new UsageError(unknownCommand(positionals, commands));
  }
  if (help) return { helpOf: [name] };
  const command = commands.get(name) as Command;
  checkOptions(name, command, Object.keys({ ...given, ...(version && { version }) }));
  const words = positionals.slice(name.split(' ').length);
  checkWords(name, command, words);
  for (const [option, value] of Object.entries(given))
    checkValue(`--${option}`, value, OPTIONS[option]?.values);
  return {
    command,
    words,
    given,
    json,
    access: {
      url: url ?? (environment.TWIN_URL || DEFAULT_URL),
      token: token ?? environment.TWIN_TOKEN ?? '',
      region: region ?? (environment.TWIN_REGION || DEFAULT_REGION),
    },
  };
}

interface Values extends Given {
  url?: string;
  token?: string;
  region?: string;
  json?: boolean;
  help?: boolean;
  version?: boolean;
}

/** The name of the command, of two words or of one. */
const nameIn = ([first = '', second]: readonly string[], commands: Commands): string | undefined =>
  [`${first} ${second}`, first].find((each) => commands.has(each));

/** The commands whose name begins with this word and has another one. */
const namesBelow = (word: string, commands: Commands): string[] =>
  [...commands.keys()].filter((name) => name.startsWith(`${word} `));

function unknownCommand(positionals: readonly string[], commands: Commands): string {
  const [first = '', second] = positionals;
  const below = namesBelow(first, commands);
  if (below.length > 0)
    return `no such command: ${[first, second].join(' ').trim()}; there are ${below.join(', ')}`;
  const names = new Set([...commands.keys()].flatMap((name) => [name, name.split(' ')[0] ?? '']));
  const typed = second === undefined ? first : `${first} ${second}`;
  const meant = [typed, first].map((word) => didYouMean(word, [...names], closestMatch)).find(Boolean);
  return `no such command: ${first}${meant ?? ''}`;
}

function checkOptions(name: string, { options }: Command, given: readonly string[]): void {
  const unfit = given.find((option) => !(options as readonly string[]).includes(option));
  if (unfit === undefined) return;
  const own = options.map((option) => `--${option}`);
  throw new UsageError(
    `--${unfit} does not go with ${name}${didYouMean(`--${unfit}`, own, closestMatch) || takes(own)}`,
  );
}

const takes = (options: readonly string[]): string =>
  options.length === 0 ? '' : `, which takes ${options.join(', ')}`;

function checkWords(name: string, command: Command, words: readonly string[]): void {
  const form = formOf(command);
  const needed = form.filter(({ optional }) => !optional);
  if (words.length < needed.length || words.length > form.length)
    throw new UsageError(`expected ${`${name} ${command.words}`.trimEnd()}`);
  for (const [index, { word }] of form.entries()) checkValue(word, words[index], WORD_VALUES[word]);
}

/** @throws UsageError when there are few values and this is none of them */
function checkValue(
  what: string,
  value: string | boolean | undefined,
  values: readonly string[] | undefined,
): void {
  if (typeof value !== 'string' || values === undefined || values.includes(value)) return;
  const meant = didYouMean(value, values, closestMatch);
  throw new UsageError(`${what} ${value}: expected one of ${values.join(', ')}${meant.replace(':', ';')}`);
}

/** A whole number from an option, or undefined when it was not given. @throws UsageError */
export function wholeNumber(given: Given, name: CommandOption): number | undefined {
  const text = given[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text === '' || !Number.isSafeInteger(number) || number < 0) {
    throw new UsageError(`--${name} ${text}: expected a whole number`);
  }
  return number;
}
