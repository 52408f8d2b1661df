import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

/** Lines for a person on a terminal, JSON elsewhere. @throws Error for a level that pino does not know */
export function makeLog(level: string): Logger {
  if (!process.stdout.isTTY)
    return pino({ level }, pino.destination({ dest: process.stdout.fd, sync: true }));
  return pino({ level }, pretty({ colorize: true, ignore: 'pid,hostname', sync: true }));
}
