import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { readPrivate, writePrivate } from './private-file.js';

/** Returns the keys that the server must use now, the same ones or new ones. */
export type TicketKeys = () => Promise<Buffer>;

/** In the directory of the other files of TLS. Its first line is the time when the keys were made. */
export const TICKET_KEYS_FILE = 'ticket-keys.txt';
/** Keys that are older are replaced. A session can be resumed for so long at most. */
export const TICKET_KEYS_SECONDS = 24 * 60 * 60;
/** What Node takes as `ticketKeys`. */
const BYTES = 48;

interface Made {
  readonly keys: Buffer;
  /** In milliseconds since 1970. */
  readonly at: number;
}

/**
 * The keys with which the server seals the TLS sessions that its clients keep. They are in a file, so that clients resume
 * their sessions after a restart. The server starts without that file, too: then each client needs a whole handshake.
 */
export function ticketKeys({
  directory,
  log,
  now = () => new Date(),
}: {
  /** The directory of their file. */
  readonly directory: string;
  readonly log: Logger;
  readonly now?: () => Date;
}): TicketKeys {
  const path = join(directory, TICKET_KEYS_FILE);
  let made: Made | undefined;
  return async () => {
    made ??= await read(path, log);
    if (made === undefined || !isFresh(made, now().getTime())) {
      made = { keys: randomBytes(BYTES), at: now().getTime() };
      await write(path, made, log);
    }
    return made.keys;
  };
}

/** Keys from the future were made before the clock was set back. */
const isFresh = ({ at }: Made, now: number): boolean => at <= now && now < at + 1000 * TICKET_KEYS_SECONDS;

async function read(path: string, log: Logger): Promise<Made | undefined> {
  try {
    const text = await readPrivate(path);
    return text === undefined ? undefined : parse(text, path);
  } catch (error) {
    log.warn({ err: error }, 'the keys of TLS sessions cannot be read and are made again');
    return undefined;
  }
}

/** @throws Error when the text is damaged */
function parse(text: string, path: string): Made {
  const [at = '', keys = ''] = text.split('\n');
  const made = { keys: Buffer.from(keys, 'base64'), at: Date.parse(at) };
  if (made.keys.length !== BYTES || Number.isNaN(made.at)) throw new Error(`${path} is damaged`);
  return made;
}

async function write(path: string, { keys, at }: Made, log: Logger): Promise<void> {
  const text = `${new Date(at).toISOString()}\n${keys.toString('base64')}\n`;
  await writePrivate(path, text).catch((error) =>
    log.warn({ err: error }, 'the keys of TLS sessions cannot be kept for the next start'),
  );
}
