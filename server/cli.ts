/** `npm run twin -- …`: the command line, a client of the REST interface. */

import { exitStatus, failureText } from '../shared/usage.js';
import { VERSION } from '../shared/version.js';
import { parseCommandLine } from './cli/arguments.js';
import { COMMANDS } from './cli/commands.js';
import { helpText } from './cli/help.js';
import { NotApplied } from './cli/orders.js';
import { runCommand } from './cli/run-command.js';
import { OutputLost, print, questioner, whenReaderGoes } from './cli/terminal.js';

async function main(): Promise<void> {
  const wish = parseCommandLine(process.argv.slice(2), process.env, COMMANDS);
  if (wish === 'version') return print(VERSION);
  if ('helpOf' in wish) return print(helpText(wish.helpOf, COMMANDS));
  if (wish.command.endless) whenReaderGoes(() => process.exit(0));
  await runCommand(wish, { print, ask: questioner() });
}

// Each call of print hears of it, too.
process.stdout.on('error', () => undefined);

main().then(
  () => process.exit(),
  (error) => {
    // A reader such as `head` closes the pipe when it has enough.
    if (error instanceof OutputLost && error.isClosed) process.exit(0);
    process.stderr.write(`${failureText('twin', error)}\n`);
    process.exit(error instanceof NotApplied ? error.exitStatus : exitStatus(error));
  },
);
