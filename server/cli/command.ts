/** What a command is: how it is typed, what it gets when it runs, and how it shows an answer. */

import type { TwinDocument } from '../../shared/document.js';
import type { Api } from './api.js';
import type { CommandOption, Given } from './arguments.js';

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
