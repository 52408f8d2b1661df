/** The help, made from the table of the commands. */

import { callOf } from '../../shared/call.js';
import { EXIT } from '../../shared/usage.js';
import { COMMON_OPTIONS, PROGRAM_OPTIONS } from './arguments.js';
import { COMMAND_OPTIONS, type Command, type Option, table } from './command.js';
import { ORDER_EXIT } from './orders.js';

type Commands = ReadonlyMap<string, Command>;

/** @param names the commands to describe; with all of them it is the help of the program */
export function helpText(names: readonly string[], commands: Commands): string {
  const chosen = new Map([...commands].filter(([name]) => names.includes(name)));
  return chosen.size === commands.size ? programHelp(commands) : [...chosen].map(commandHelp).join('\n\n');
}

const program = (): string => callOf('twin');

const programHelp = (commands: Commands): string =>
  [
    `Usage: ${program()} COMMAND [OPTIONS]`,
    `       ${program()} COMMAND --help`,
    '',
    'PANEL and DEVICE stand for the name or the id of a device. Commands:',
    '',
    ...[...commands].map(([name, command]) => `  ${usageOf(name, command)}\n      ${command.help}`),
    '',
    'Options of every command:',
    optionTable({ ...COMMON_OPTIONS, ...PROGRAM_OPTIONS }),
    '',
    'Exit status:',
    indented(table(['', ''], STATUSES)),
    '',
    `The server and the panel are programs of their own: ${callOf('server')} --help, ${callOf('panel')} --help`,
  ].join('\n');

const STATUSES = [
  ['0', 'done'],
  [`${EXIT.failed}`, 'failed: the server refused, or did not answer, or a file could not be written'],
  [`${EXIT.usage}`, 'the command line is wrong, and nothing was done'],
  [`${ORDER_EXIT.notConfirmed}`, 'arm, disarm: the order stands, but the panel has not confirmed it'],
  [`${ORDER_EXIT.refused}`, 'arm, disarm: the panel refused the order'],
];

function commandHelp([name, command]: [string, Command]): string {
  const { help, details, options, examples } = command;
  return [
    `Usage: ${program()} ${usageOf(name, command)}`,
    '',
    `${help.charAt(0).toUpperCase()}${help.slice(1)}.${details === undefined ? '' : `\n${details}`}`,
    '',
    ...(options.length === 0 ? [] : ['Options:', optionTable(pick(options)), '']),
    'Options of every command:',
    optionTable(COMMON_OPTIONS),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.map((example) => `  ${program()} ${example}`),
  ].join('\n');
}

const pick = (names: Command['options']): Record<string, Option> =>
  Object.fromEntries(names.map((name) => [name, COMMAND_OPTIONS[name]]));

const usageOf = (name: string, { words, options }: Command): string =>
  [
    name,
    words,
    ...Object.entries(pick(options)).map(([option, described]) => `[${optionText(option, described)}]`),
  ]
    .filter((part) => part !== '')
    .join(' ');

const optionTable = (options: Record<string, Option>): string =>
  indented(
    table(
      ['', ''],
      Object.entries(options).map(([name, option]) => [optionText(name, option), option.help]),
    ),
  );

const indented = (text: string): string => text.trim().replaceAll(/^/gm, '  ');

const optionText = (name: string, option: Option): string =>
  option.value === undefined ? `--${name}` : `--${name} ${option.value}`;
