/** The programs of `npm start`, each a process of its own: the server, the panel, and the command line once. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { NewDevice } from '../server-api.js';
import { type Addresses, CONTACTS, type PanelState, parsePanelState } from './text.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** A program that does not end when asked is killed after this many milliseconds. */
const PATIENCE = 8000;

export interface Program {
  /** Resolves with the exit code when the process has ended. */
  readonly ended: Promise<number>;
  /** Writes one line to its stdin. */
  type(word: string): void;
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>;
}

interface ProgramOptions {
  /** The TypeScript file, from the project's top. */
  file: string;
  args?: string[];
  env?: Record<string, string>;
  /** The word on stdin that ends it; without one SIGTERM does. */
  quitWord?: string;
  /** Called with every line of stdout and stderr. */
  onLine: (line: string) => void;
}

/** The process is detached: the terminal's Ctrl-C reaches this program only, which then stops it. */
function startProgram({ file, args = [], env = {}, quitWord, onLine }: ProgramOptions): Program {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    cwd: ROOT,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  createInterface(child.stdout).on('line', onLine);
  createInterface(child.stderr).on('line', onLine);
  // A word is lost when the program has just ended, which `ended` reports.
  child.stdin.on('error', () => {});
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
  const type = (word: string): unknown => child.stdin.write(`${word}\n`);
  return {
    ended,
    type,
    async stop() {
      if (quitWord === undefined) child.kill('SIGTERM');
      else type(quitWord);
      const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      await ended;
      clearTimeout(kill);
    },
  };
}

export interface Server {
  program: Program;
  /** Where it listens, or undefined when it ended instead; it has printed why. */
  listening: Promise<Addresses | undefined>;
}

interface LogEntry {
  level: number;
  msg: string;
  http?: string;
  mqtt?: string;
  https?: string;
  mqtts?: string;
}

const WARN = 40;
const LOOPBACK = /^(127\.|localhost:|\[::1\])/;
const ANY_ADDRESS = /^(0\.0\.0\.0|\[?::\]?|)(?=:\d+$)/;

/** Prints the warnings and errors of the server's log, and nothing else of it. */
export function startServer(environment: Record<string, string>, print: (line: string) => void): Server {
  let hear: (addresses: Addresses | undefined) => void;
  const listening = new Promise<Addresses | undefined>((resolve) => {
    hear = resolve;
  });
  const program = startProgram({
    file: 'server/main.ts',
    env: { ...environment, TWIN_LOG: 'info' },
    onLine: (line) => {
      const entry = parseEntry(line);
      if (entry === undefined) print(line);
      else if (entry.msg === 'listening') hear(addressesIn(entry));
      else if (entry.level >= WARN) print(`server: ${entry.msg}`);
    },
  });
  program.ended.then(() => hear(undefined));
  return { program, listening };
}

const parseEntry = (line: string): LogEntry | undefined =>
  line.startsWith('{') ? (JSON.parse(line) as LogEntry) : undefined;

/** This machine reaches a server that listens on every address at its own loopback address. */
function addressesIn({ http = '', mqtt = '', https, mqtts }: LogEntry): Addresses {
  const here = (address: string): string => address.replace(ANY_ADDRESS, '127.0.0.1');
  const open = Object.fromEntries(
    Object.entries({ TWIN_HTTPS: https, TWIN_MQTTS: mqtts }).filter(
      ([, address]) => address !== undefined && !LOOPBACK.test(address),
    ),
  );
  return { http: `http://${here(http)}`, mqtt: `mqtt://${here(mqtt)}`, open };
}

interface PanelOptions {
  /** `mqtt://host:port` */
  server: string;
  device: NewDevice;
  /** The file that stands for its flash. */
  flash: string;
  onState: (state: PanelState) => void;
  print: (line: string) => void;
}

/** The panel on the XS engine, as `npm run panel` runs it. */
export const startPanel = ({ server, device, flash, onState, print }: PanelOptions): Program =>
  startProgram({
    file: 'firmware/desktop/command-line.ts',
    args: [
      ...['--server', server, '--device', device.id, '--flash', flash, '--json'],
      ...CONTACTS.map((contact) => `--contact=${contact}`),
    ],
    env: { PANEL_PASSWORD: device.password },
    quitWord: 'quit',
    onLine: (line) => {
      const state = parsePanelState(line);
      if (state === undefined) print(line);
      else onState(state);
    },
  });

/** What `npm run twin -- pair --own` prints: a QR code and links that give this token to a phone, or to a browser here. */
export async function pairingLines(url: string, token: string): Promise<string[]> {
  const lines: string[] = [];
  const { ended } = startProgram({
    file: 'server/cli.ts',
    args: ['pair', '--own', '--url', url],
    env: { TWIN_TOKEN: token },
    onLine: (line) => lines.push(line),
  });
  await ended;
  return lines;
}
