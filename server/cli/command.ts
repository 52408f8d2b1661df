/** What a command is: how it is typed, its options, what it gets when it runs, and how it shows an answer. */

import type { TwinDocument } from '../../shared/document.js';
import type { Api } from './api.js';

export interface Option {
  type: 'string' | 'boolean';
  /** What stands for its value in the help. */
  value?: string;
  help: string;
}

/** Only the commands that name them take these. */
export const COMMAND_OPTIONS = {
  mode: { type: 'string', value: 'MODE', help: 'away (default), home or night' },
  bypass: { type: 'string', value: 'NAME[,NAME…]', help: 'the contacts to leave out for this time' },
  wait: { type: 'boolean', help: 'wait until the panel has followed, and fail when it has not within 30 s' },
  role: { type: 'string', value: 'ROLE', help: 'owner, app or reader' },
  twin: {
    type: 'string',
    value: 'ID[,ID…]',
    help: 'the devices, and their twins, that the token is for, separated by commas (default all)',
  },
  description: { type: 'string', value: 'TEXT', help: 'is shown in the list' },
  expires: {
    type: 'string',
    value: 'TIME',
    help: 'when the token expires, as 2030-01-31T12:00:00Z (default never)',
  },
  own: { type: 'boolean', help: 'make no new token: the link holds the one that this command uses' },
  'allow-insecure': { type: 'boolean', help: 'the device may connect with its password and without TLS' },
  'allow-multiple-connections': {
    type: 'boolean',
    help: 'the device may have several connections at a time',
  },
  save: {
    type: 'string',
    value: 'DIRECTORY',
    help: 'write ca.crt, device.crt and device.key into this directory',
  },
  'key-type': {
    type: 'string',
    value: 'TYPE',
    help: 'ecdsa (default), or rsa, which the TLS of a board needs',
  },
  data: {
    type: 'string',
    value: 'DIRECTORY',
    help: "the server's data directory (default TWIN_DATA, or ./data)",
  },
  version: { type: 'string', value: 'N', help: 'write only if the document has this version' },
} as const satisfies Record<string, Option>;

export type CommandOption = keyof typeof COMMAND_OPTIONS;
/** The options that were given, by name. */
export type Given = Partial<Record<CommandOption, string | boolean>>;

export interface Command {
  /** What follows the command's name, as `ID [DOCUMENT]`: a word in brackets may be left out. */
  readonly words: string;
  readonly options: readonly CommandOption[];
  readonly help: string;
  run(call: Call): Promise<void>;
}

/** One command as it was typed, with what it needs. */
export interface Call {
  readonly words: string[];
  readonly given: Given;
  /** The answer is wanted as JSON. */
  readonly json: boolean;
  readonly api: Api;
  readonly print: (text: string) => void;
}

/** Prints the answer as the server sent it with `--json`, else as text for a person. */
export function show<T>({ json, print }: Call, answer: T, text: (answer: T) => string): void {
  print(json ? JSON.stringify(answer) : text(answer));
}

export const documentText = ({ document_name, version, updated_at, data }: TwinDocument): string =>
  `${document_name}, version ${version}, ${updated_at}\n${JSON.stringify(data, undefined, 2)}`;

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
