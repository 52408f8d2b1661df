import pino, { type Logger } from 'pino';

/** Bytes of lines that wait for a log that takes none, such as one on a full disk. What goes beyond is lost. */
const WAITING_BYTES = 64 * 1024;

/**
 * Lines for a person on a terminal, JSON elsewhere. A line that cannot be written is lost: requests of strangers write lines,
 * so an error of the log must not end the server. Rejects for a level that pino does not know.
 */
export async function makeLog(level: string): Promise<Logger> {
  const out = pino.destination({ dest: process.stdout.fd, sync: true, maxLength: WAITING_BYTES });
  out.on('error', () => undefined);
  if (!process.stdout.isTTY) return pino({ level }, out);
  const { default: pretty } = await import('pino-pretty');
  return pino({ level }, pretty({ colorize: true, ignore: 'pid,hostname', destination: out }));
}
