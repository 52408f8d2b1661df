/** A command of the command line, as a process of its own. */

import { type Ended, startProgram } from './process.js';

/** How it ended, and what it printed. */
export async function twin(
  words: string[],
  environment: Record<string, string>,
): Promise<Ended & { said: string }> {
  const program = startProgram([process.execPath, '--import', 'tsx', 'server/cli.ts', ...words], environment);
  return { ...(await program.ended), said: program.lines.join('\n') };
}
