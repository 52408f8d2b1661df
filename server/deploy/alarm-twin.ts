#!/usr/bin/env node
/** The program of the package: `alarm-twin server`, `alarm-twin panel`, and each command of the command line. */

/** The programs that are no command of the command line, and their files in the package. */
const PROGRAMS: Record<string, string> = { server: './server.js', panel: './panel.js' };

const [name = ''] = process.argv.slice(2);
const program = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
if (program !== undefined) process.argv.splice(2, 1);
await import(program ?? './cli.js');
