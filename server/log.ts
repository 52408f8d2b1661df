import pino, { type Logger } from 'pino';

/** So many bytes of lines wait when the log cannot be written, such as on a full disk. Further lines are lost. */
const WAITING_BYTES = 64 * 1024;

/**
 * Writes lines for a person on a terminal, and JSON elsewhere. A line that cannot be written is lost. Requests of
 * strangers cause lines, so an error of the log must not end the server. Rejects for a level that pino does not know.
 */
export async function makeLog(level: string): Promise<Logger> {
  const out = pino.destination({ dest: process.stdout.fd, sync: true, maxLength: WAITING_BYTES });
  out.on('error', () => undefined);
  if (!process.stdout.isTTY) return pino({ level }, out);
  const { default: pretty } = await import('pino-pretty');
  return pino({ level }, pretty({ colorize: true, ignore: 'pid,hostname', destination: out }));
}
