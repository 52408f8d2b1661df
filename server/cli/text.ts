/** How the command line's answers read. */

import type { TwinDocument } from '../../shared/document.js';
import type { Device } from '../devices/device.js';
import { COMMAND_OPTIONS, COMMON_OPTIONS, type Form, type Option } from './arguments.js';

/** Columns as wide as their widest cell, two spaces apart. */
export function table(head: string[], rows: string[][]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const documentText = ({ document_name, version, updated_at, data }: TwinDocument): string =>
  `${document_name}, version ${version}, ${updated_at}\n${JSON.stringify(data, undefined, 2)}`;

/** One line. */
export const changeText = ({ document_name, version, updated_at, data }: TwinDocument): string =>
  `${updated_at}  ${document_name}  version ${version}  ${JSON.stringify(data)}`;

export const deviceText = (device: Device): string =>
  Object.entries(device)
    .map(([field, value]) =>
      `${field.padEnd('allow_multiple_connections'.length)}  ${value ?? 'never'}`.trimEnd(),
    )
    .join('\n');

export function help(commands: ReadonlyMap<string, Form>): string {
  const usages = [...commands].map(([name, { words, options, help }]) => ({
    usage: [name, words, ...options.map((option) => `[${optionText(option, COMMAND_OPTIONS[option])}]`)]
      .filter((part) => part !== '')
      .join(' '),
    help,
  }));
  const options = Object.entries({ ...COMMON_OPTIONS, ...COMMAND_OPTIONS });
  return [
    'Usage: npm run twin -- COMMAND [OPTIONS]',
    '',
    ...usages.map(({ usage, help }) => `  ${usage}\n      ${help}`),
    '',
    'Options:',
    indent(
      table(
        ['', ''],
        options.map(([name, option]) => [optionText(name, option), option.help]),
      ).trim(),
    ),
  ].join('\n');
}

const optionText = (name: string, option: Option): string =>
  option.value === undefined ? `--${name}` : `--${name} ${option.value}`;

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');
