import { type Program, startProgram } from './program.js';

export interface Addresses {
  /** Where REST is reached from this machine, `http://host:port`. */
  http: string;
  /** `mqtt://host:port` */
  mqtt: string;
}

export interface Server {
  program: Program;
  /** Where it listens, or undefined when it ended instead, having said why. */
  listening: Promise<Addresses | undefined>;
}

interface LogEntry {
  level: number;
  msg: string;
  http?: string;
  mqtt?: string;
}

const WARN = 40;
const ANY_ADDRESS = /^(0\.0\.0\.0|\[?::\]?|)(?=:\d+$)/;

/** Warnings and errors of the server's log are printed, the rest is not. */
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
      else if (entry.msg === 'listening') hear(addresses(entry));
      else if (entry.level >= WARN) print(`server: ${entry.msg}`);
    },
  });
  program.ended.then(() => hear(undefined));
  return { program, listening };
}

function parseEntry(line: string): LogEntry | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as LogEntry) : undefined;
}

/** A server that listens on every address is reached from here on this machine's own. */
function addresses({ http = '', mqtt = '' }: LogEntry): Addresses {
  const here = (address: string): string => address.replace(ANY_ADDRESS, '127.0.0.1');
  return { http: `http://${here(http)}`, mqtt: `mqtt://${here(mqtt)}` };
}
