import { createHash } from 'node:crypto';
import { realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Another panel runs on this flash file. */
export class FlashInUse extends Error {
  override name = 'FlashInUse';
  constructor(path: string) {
    super(`${path} is in use by another panel`);
  }
}

/**
 * Keeps every other panel off a flash file until the returned server is closed: each of two panels would overwrite what
 * the other one stored. The lock is a Unix socket that this process listens on, because the kernel closes it with the
 * process, however that ends. It is not beside the file, because the path of a socket may have only about 100 bytes.
 * @throws FlashInUse, and Error where the file's directory does not exist
 */
export async function lockFlash(path: string): Promise<Server> {
  const file = join(realpathSync(dirname(path)), basename(path));
  const name = createHash('sha256').update(file).digest('hex').slice(0, 16);
  const socket = join(tmpdir(), `alarm-panel-${name}.sock`);
  try {
    return await listen(socket);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
  }
  if (await isListening(socket)) throw new FlashInUse(path);
  rmSync(socket, { force: true });
  return listen(socket);
}

const listen = (socket: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.on('error', reject).listen(socket, () => resolve(server.unref()));
  });

const isListening = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(socket, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
