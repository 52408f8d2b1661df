import type { Api } from './api.js';
import type { CommandLine, Form } from './arguments.js';

/** One command as it was typed, and what it needs. */
export interface Call extends Pick<CommandLine<Form>, 'words' | 'given' | 'json'> {
  readonly api: Api;
  readonly print: (text: string) => void;
}

export interface Command extends Form {
  run(call: Call): Promise<void>;
}
