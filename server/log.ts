import pino, { type Logger } from 'pino';

/** Lines for a person on a terminal, JSON elsewhere. Rejects for a level that pino does not know. */
export async function makeLog(level: string): Promise<Logger> {
  if (!process.stdout.isTTY)
    return pino({ level }, pino.destination({ dest: process.stdout.fd, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino({ level }, pretty({ colorize: true, ignore: 'pid,hostname', sync: true }));
}
