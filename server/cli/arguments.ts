/** The command line: its options, how it is parsed, and its help. */

import { parseArgs } from 'node:util';
import { DEFAULT_REGION, DEFAULT_URL } from '../../shared/rest.js';
import { UsageError, understood } from '../../shared/usage.js';
import type { Access } from './api.js';
import {
  type Call,
  COMMAND_OPTIONS,
  type Command,
  type CommandOption,
  type Given,
  type Option,
  table,
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
  json: { type: 'boolean', help: 'print JSON' },
  help: { type: 'boolean', help: 'print this text' },
} as const satisfies Record<string, Option>;

interface CommandLine extends Pick<Call, 'words' | 'given' | 'json'> {
  readonly command: Command;
  readonly access: Access;
}

/** @returns undefined when the help is asked for. @throws UsageError */
export function parseCommandLine(
  args: string[],
  environment: NodeJS.ProcessEnv,
  commands: ReadonlyMap<string, Command>,
): CommandLine | undefined {
  const options = { ...COMMON_OPTIONS, ...COMMAND_OPTIONS };
  const { values, positionals } = understood(() => parseArgs({ args, options, allowPositionals: true }));
  const { url, token, region, json = false, help = false, ...given } = values;
  if (help || positionals.length === 0) return undefined;
  const name =
    [positionals.slice(0, 2).join(' '), positionals[0] ?? ''].find((each) => commands.has(each)) ?? '';
  const command = commands.get(name);
  if (command === undefined) throw new UsageError(`no such command: ${positionals.join(' ')}`);
  const words = positionals.slice(name.split(' ').length);
  if (!fits(words.length, command.words))
    throw new UsageError(`usage: twin ${name} ${command.words}`.trimEnd());
  const unfit = Object.keys(given).find((option) => !(command.options as readonly string[]).includes(option));
  if (unfit !== undefined) throw new UsageError(`--${unfit} does not go with ${name}`);
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

function fits(count: number, form: string): boolean {
  const words = form.split(' ').filter((word) => word !== '');
  const needed = words.filter((word) => !word.startsWith('['));
  return count >= needed.length && count <= words.length;
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

export function help(commands: ReadonlyMap<string, Command>): string {
  const usages = [...commands].map(([name, { words, options, help }]) => {
    const optional = options.map((option) => `[${optionText(option, COMMAND_OPTIONS[option])}]`);
    const usage = [name, words, ...optional].filter((part) => part !== '').join(' ');
    return `  ${usage}\n      ${help}`;
  });
  const options = Object.entries<Option>({ ...COMMON_OPTIONS, ...COMMAND_OPTIONS });
  const optionTable = table(
    ['', ''],
    options.map(([name, option]) => [optionText(name, option), option.help]),
  );
  return [
    'Usage: npm run twin -- COMMAND [OPTIONS]',
    '',
    'ID is the id of a device, which is also the id of its twin. Commands:',
    '',
    ...usages,
    '',
    'Options:',
    optionTable.trim().replaceAll(/^/gm, '  '),
  ].join('\n');
}

const optionText = (name: string, option: Option): string =>
  option.value === undefined ? `--${name}` : `--${name} ${option.value}`;
