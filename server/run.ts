/** The server as a process: it reads its settings, reports a failed start in one line, and stops in order. */

import { pairingText } from './app/pairing.js';
import { openListeners, readSettings } from './config.js';
import { makeLog } from './log.js';
import { type Limits, ListenFailed, startServer } from './server.js';
import { StorageUnavailable } from './storage/storage.js';

/** How long an orderly stop may take. */
const STOP_MS = 5000;

async function serve(limits: Limits): Promise<void> {
  const settings = readSettings(process.env, process.argv.slice(2));
  const log = await makeLog(settings.log);
  for (const listener of openListeners(settings)) {
    log.warn(
      `${listener} serves other machines WITHOUT TLS: whoever is on the way can read and change everything`,
    );
  }
  const server = await startServer(settings, log, limits);

  // State that an exception left half changed must not be served, and the journal makes a restart safe.
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error) => {
      log.fatal({ err: error }, event);
      process.exit(1);
    });
  }

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    const late = setTimeout(() => {
      log.error('not stopped in time; the journal holds what is not in the files');
      process.exit(1);
    }, STOP_MS);
    late.unref();
    server.close().then(() => {
      log.info('stopped');
      process.exit(0);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  if (server.newToken !== undefined) {
    process.stdout.write(`Owner token, shown this once: ${server.newToken}\n`);
    process.stdout.write(`${pairingText(server.appUrls, server.newToken)}\n`);
  }
  const { addresses, authority } = server;
  log.info({ ...addresses, authority: `SHA-256 ${authority}`, data: settings.data }, 'listening');
}

type SystemError = NodeJS.ErrnoException & { address?: string; port?: number };

const forbidden = ({ path, address, port }: SystemError): string =>
  `no permission for ${path ?? `${address}:${port}`}`;

const EXPLANATIONS: Record<string, (error: SystemError) => string> = {
  EADDRINUSE: ({ address, port }) => `${address}:${port} is taken by another program`,
  EADDRNOTAVAIL: ({ address }) => `${address} is no address of this machine`,
  EACCES: forbidden,
  EPERM: forbidden,
  EROFS: ({ path }) => `${path} is on a read-only file system`,
  ENOTDIR: ({ path }) => `${path} cannot be a directory`,
};

/** The server's owner may know the cause that no client is told. */
function explain(error: SystemError): string {
  if (error instanceof ListenFailed)
    return `${explain(error.cause)}; ${error.variable} chooses where to listen`;
  if (error instanceof StorageUnavailable && error.cause instanceof Error) return explain(error.cause);
  return EXPLANATIONS[error.code ?? '']?.(error) ?? error.message;
}

/**
 * Runs the server with the settings of this process's environment and arguments, until a signal stops it.
 * @param limits other limits than the server's own; only tests give them
 */
export function runServer(limits: Limits = {}): void {
  serve(limits).catch((error: SystemError) => {
    process.stderr.write(`alarm-twin: ${explain(error)}\n`);
    process.exit(1);
  });
}
