/** What a command is: how it is typed, its options, what it gets when it runs, and how it shows an answer. */

import { MODES } from '../../shared/current-document.js';
import type { TwinDocument } from '../../shared/document.js';
import { plainText } from '../../shared/plain-text.js';
import { ROLES } from '../access/tokens.js';
import type { KeyType } from '../tls/key-pair.js';
import type { Api } from './api.js';
import { DEVICE, type Kind, TOKEN } from './names.js';

export interface Option {
  type: 'string' | 'boolean';
  /** What stands for its value in the help. */
  value?: string;
  /** All values that it can have. */
  values?: readonly string[];
  help: string;
}

const KEY_TYPES: readonly KeyType[] = ['ecdsa', 'rsa'];

/** Only the commands that name them take these. */
export const COMMAND_OPTIONS = {
  mode: { type: 'string', value: 'MODE', values: MODES, help: 'away (default), home or night' },
  bypass: { type: 'string', value: 'NAME[,NAME…]', help: 'the contacts to leave out for this time' },
  'no-wait': { type: 'boolean', help: 'do not wait for the panel: print the document that was written' },
  role: { type: 'string', value: 'ROLE', values: ROLES, help: 'owner, app or reader' },
  twin: {
    type: 'string',
    value: 'DEVICE[,DEVICE…]',
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
    values: KEY_TYPES,
    help: 'ecdsa (default), or rsa, which the TLS of a board needs',
  },
  data: {
    type: 'string',
    value: 'DIRECTORY',
    help: "the server's data directory (default TWIN_DATA, or ./data)",
  },
  to: {
    type: 'string',
    value: 'ADDRESS',
    help: 'the empty database that takes the data, postgres://user:password@host:port/name',
  },
  back: {
    type: 'boolean',
    help: 'take the data out of the database in TWIN_DATABASE, into the directory again',
  },
  keys: {
    type: 'boolean',
    help: 'the backup holds the keys too, encrypted with a passphrase that the command asks for',
  },
  'passphrase-file': {
    type: 'string',
    value: 'FILE',
    help: 'the first line of this file is the passphrase of the backup, which then holds the keys',
  },
  'if-version': { type: 'string', value: 'N', help: 'write only if the document has this version' },
  yes: { type: 'boolean', help: 'do not ask' },
} as const satisfies Record<string, Option>;

export type CommandOption = keyof typeof COMMAND_OPTIONS;
/** The options that were given, by name. */
export type Given = Partial<Record<CommandOption, string | boolean>>;

/** Words in a command's form for which an id can be given, or a name. */
export const NAMED_WORDS: Readonly<Record<string, Kind>> = { PANEL: DEVICE, DEVICE, TOKEN };

/** Words in a command's form that have few values. */
export const WORD_VALUES: Readonly<Record<string, readonly string[]>> = { SHELL: ['bash', 'zsh', 'fish'] };

export interface Command {
  /** What follows the command's name, as `DEVICE [DOCUMENT]`: a word in brackets may be left out. */
  readonly words: string;
  readonly options: readonly CommandOption[];
  /** One sentence without its subject. */
  readonly help: string;
  /** Further sentences. */
  readonly details?: string;
  /** What stands behind the program's name. */
  readonly examples: readonly string[];
  /** It runs until it is stopped, or until the program that reads its output ends. */
  readonly endless?: true;
  run(call: Call): Promise<void>;
}

/** One command as it was typed, with what it needs. */
export interface Call {
  /** Ids stand where names were given. */
  readonly words: string[];
  readonly given: Given;
  /** The answer is wanted as JSON. */
  readonly json: boolean;
  readonly api: Api;
  /** Prints a text and a line feed. Rejects with OutputLost when it could not be written. */
  readonly print: (text: string) => Promise<void>;
  /** Asks the person at the terminal for a line. Undefined where there is no terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}

/** The data directory of the server on this machine. */
export const dataOf = ({ given }: Call): string => String(given.data ?? (process.env.TWIN_DATA || './data'));

/** The words of a command's form: what each stands for, and whether it may be left out. */
export const formOf = ({ words }: Pick<Command, 'words'>): { word: string; optional: boolean }[] =>
  words
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => ({ word: word.replace(/[[\]]/g, ''), optional: word.startsWith('[') }));

/** Prints the answer as the server sent it with `--json`, else as text for a person. */
export async function show<T>({ json, print }: Call, answer: T, text: (answer: T) => string): Promise<void> {
  await print(json ? JSON.stringify(answer) : text(answer));
}

export const documentText = ({ document_name, version, updated_at, data }: TwinDocument): string =>
  `${document_name}, version ${version}, ${updated_at}\n${JSON.stringify(data, undefined, 2)}`;

/** Columns as wide as their widest cell, two spaces apart. */
export function table(head: string[], rows: string[][]): string {
  // A name must not turn the line around, or command the terminal.
  const lines = [head, ...rows].map((line) => line.map(plainText));
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
