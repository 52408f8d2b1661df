/** `npm run twin -- …`: the command line, a client of the REST interface. */

import { Api } from './cli/api.js';
import { parseCommandLine } from './cli/arguments.js';
import { COMMANDS } from './cli/commands.js';
import { help } from './cli/text.js';

async function main(): Promise<void> {
  const line = parseCommandLine(process.argv.slice(2), process.env, COMMANDS);
  if (line === undefined) return print(help(COMMANDS));
  const { command, access, ...rest } = line;
  await command.run({ ...rest, api: new Api(access), print });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

// Whoever reads the output has seen enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

main().catch((error: Error) => {
  process.stderr.write(`twin: ${error.message}\n`);
  process.exitCode = 1;
});
