/** `npm run twin -- …`: the command line, a client of the REST interface. */

import { failureText } from '../shared/usage.js';
import { Api } from './cli/api.js';
import { help, parseCommandLine } from './cli/arguments.js';
import { COMMANDS } from './cli/commands.js';

async function main(): Promise<void> {
  const line = parseCommandLine(process.argv.slice(2), process.env, COMMANDS);
  if (line === undefined) return print(help(COMMANDS));
  const { command, access, ...rest } = line;
  await command.run({ ...rest, api: new Api(access), print });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

// A reader such as `head` closes the pipe when it has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

main().catch((error) => {
  process.stderr.write(`${failureText('twin', error)}\n`);
  process.exitCode = 1;
});
