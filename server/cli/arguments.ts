/** What was typed, judged before anything is done. */

import { parseArgs } from 'node:util';
import type { Access } from './api.js';

/** The command line is wrong; the message says how it would be right. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export interface Option {
  type: 'string' | 'boolean';
  /** What stands for its value in the help. */
  value?: string;
  help: string;
}

/** Understood by every command. */
export const COMMON_OPTIONS = {
  url: { type: 'string', value: 'URL', help: 'the server; else TWIN_URL, else http://127.0.0.1:8080' },
  token: { type: 'string', value: 'UUID', help: 'the token; else TWIN_TOKEN' },
  region: { type: 'string', value: 'NAME', help: 'the region; else TWIN_REGION, else fr-par' },
  json: { type: 'boolean', help: 'prints JSON' },
  help: { type: 'boolean', help: 'prints this text' },
} as const satisfies Record<string, Option>;

/** Understood by the commands that name them. */
export const COMMAND_OPTIONS = {
  role: { type: 'string', value: 'ROLE', help: 'owner, app or reader' },
  twin: {
    type: 'string',
    value: 'ID[,ID…]',
    help: 'the twins and devices that it is for, with commas between; else all of them',
  },
  description: { type: 'string', value: 'TEXT', help: 'for those who read the list' },
  expires: { type: 'string', value: 'TIME', help: 'how long it is valid, as 2030-01-31T12:00:00Z' },
  own: { type: 'boolean', help: 'the link has the token in use, instead of a new one' },
  'allow-insecure': { type: 'boolean', help: 'the device may connect without TLS' },
  'allow-multiple-connections': { type: 'boolean', help: 'the device may be connected more than once' },
  save: { type: 'string', value: 'DIRECTORY', help: 'for ca.crt, device.crt and device.key' },
  'key-type': { type: 'string', value: 'TYPE', help: 'ecdsa, or rsa for the TLS of a board; else ecdsa' },
  version: { type: 'string', value: 'N', help: 'refused unless the document has this version' },
} as const satisfies Record<string, Option>;

export type CommandOption = keyof typeof COMMAND_OPTIONS;
/** What was given, by the option's name. */
export type Given = Partial<Record<CommandOption, string | boolean>>;

/** How a command is typed. */
export interface Form {
  /** What follows the command's name, as `ID [DOCUMENT]`: a word in brackets may be left out. */
  readonly words: string;
  readonly options: readonly CommandOption[];
  readonly help: string;
}

export interface CommandLine<Command> {
  readonly command: Command;
  /** What followed the command's name. */
  readonly words: string[];
  readonly given: Given;
  readonly json: boolean;
  readonly access: Access;
}

/** @returns undefined when help is wanted. @throws UsageError */
export function parseCommandLine<Command extends Form>(
  args: string[],
  environment: NodeJS.ProcessEnv,
  commands: ReadonlyMap<string, Command>,
): CommandLine<Command> | undefined {
  const { values, positionals } = parse(args);
  const { url, token, region, json = false, help = false, ...given } = values;
  if (help || positionals.length === 0) return undefined;
  const name =
    [positionals.slice(0, 2).join(' '), positionals[0] ?? ''].find((each) => commands.has(each)) ?? '';
  const command = commands.get(name);
  if (command === undefined) throw new UsageError(`no such command: ${positionals.join(' ')} (see --help)`);
  const words = positionals.slice(name.split(' ').length);
  if (!fits(words.length, command.words)) throw new UsageError(`usage: twin ${name} ${command.words}`);
  const odd = Object.keys(given).find((option) => !(command.options as readonly string[]).includes(option));
  if (odd !== undefined) throw new UsageError(`--${odd} does not go with ${name}`);
  return {
    command,
    words,
    given,
    json,
    access: {
      url: url ?? (environment.TWIN_URL || 'http://127.0.0.1:8080'),
      token: token ?? environment.TWIN_TOKEN ?? '',
      region: region ?? (environment.TWIN_REGION || 'fr-par'),
    },
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: { ...COMMON_OPTIONS, ...COMMAND_OPTIONS }, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.replaceAll('\n', ' ')} (see --help)`);
  }
}

function fits(count: number, form: string): boolean {
  const words = form.split(' ').filter((word) => word !== '');
  const needed = words.filter((word) => !word.startsWith('['));
  return count >= needed.length && count <= words.length;
}

/** A whole number from an option, or undefined where it was not given. @throws UsageError */
export function wholeNumber(given: Given, name: CommandOption): number | undefined {
  const text = given[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text === '' || !Number.isSafeInteger(number) || number < 0) {
    throw new UsageError(`--${name} ${text}: expected a whole number`);
  }
  return number;
}
