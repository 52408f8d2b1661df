#!/usr/bin/env node
/** The program of the package: `alarm-twin server`, `alarm-twin panel`, and each command of the command line. */

import { isRecent } from './node-version.js';

/** What `package.json` says of Node.js. The build puts it in. */
declare const NODE_NEEDED: string;

/** The programs that are no command of the command line, and their files in the package. */
const PROGRAMS: Record<string, string> = { server: './server.js', panel: './panel.js' };

const HELP = `Usage: alarm-twin server [OPTIONS]   runs the server
       alarm-twin panel [OPTIONS]    runs a panel on this computer
`;

const { node } = process.versions;
if (!isRecent(node, NODE_NEEDED)) {
  const least = NODE_NEEDED.replace('>=', '');
  process.stderr.write(
    `alarm-twin: Node.js ${least} or later is needed; this is ${node}. See https://nodejs.org/\n`,
  );
  process.exit(1);
}
const [name = ''] = process.argv.slice(2);
const program = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
if (program !== undefined) process.argv.splice(2, 1);
// The command line prints its own help behind it.
else if (name === '--help') process.stdout.write(HELP);
await import(program ?? './cli.js');
