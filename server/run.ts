/** The server as a process: it reads its settings, reports a failed start in one line, and stops in order. */

import type { Logger } from 'pino';
import { callOf } from '../shared/call.js';
import { aboutText, exitStatus, UsageError } from '../shared/usage.js';
import { VERSION } from '../shared/version.js';
import { pairingText } from './app/pairing.js';
import { exposedListeners, readSettings, type Settings, settingsHelp } from './config.js';
import { makeLog } from './log.js';
import { type Limits, ListenFailed, type Server, startServer } from './server.js';
import { serviceOf } from './service.js';
import { StorageUnavailable } from './storage/storage.js';

/** How long an orderly stop may take. */
const STOP_MS = 5000;

async function serve(stop: AbortSignal, limits: Limits): Promise<void> {
  const args = process.argv.slice(2);
  const wanted = { help: args.includes('--help'), version: args.includes('--version') };
  const about = aboutText(wanted, settingsHelp());
  if (about !== undefined) return void process.stdout.write(`${about}\n`);
  const settings = readSettings(process.env, args);
  const log = await makeLog(settings.log);
  for (const listener of exposedListeners(settings)) {
    log.warn(
      `${listener} serves other machines WITHOUT TLS: the network between can read and change everything`,
    );
  }
  if (stop.aborted) return;
  const service = serviceOf(process.env, log);
  whenAborted(stop, () => {
    log.info({ signal: stop.reason }, 'stopping');
    setTimeout(() => {
      log.error('not stopped in time; the journal holds what is not in the files');
      process.exit(1);
    }, STOP_MS).unref();
  });
  const open = () => startServer(settings, log, limits, takeUpBackup);
  let opening = open();
  /** The data directory has new contents: what is open is closed, and opened again with them. */
  function takeUpBackup(): void {
    opening = opening.then(async (server) => {
      log.info('a backup is being restored: the server closes and opens again');
      await server.close();
      const next = await open();
      announce(next, log, settings);
      return next;
    });
    opening.catch(fail);
  }
  const server = await opening;
  whenAborted(stop, async () => {
    await Promise.all([opening.then((last) => last.close()), service?.stopping()]);
    log.info('stopped');
    process.exit(0);
  });
  if (stop.aborted) return;

  // An exception may leave state half changed, which must not be served. The journal makes a restart safe.
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error) => {
      log.fatal({ err: error }, event);
      process.exit(1);
    });
  }
  announce(server, log, settings);
  await service?.ready(async () => (await opening).prove());
}

function announce(
  { node, firstTokens, appUrls, addresses, authority }: Server,
  log: Logger,
  { data }: Settings,
): void {
  if (firstTokens !== undefined) {
    const { owner, phone } = firstTokens;
    process.stdout.write(`Owner token, shown this once: ${owner}\n`);
    process.stdout.write(`${pairingText(appUrls, phone)}\n`);
    process.stdout.write('The code and the links hold another token, which can read, arm and disarm.\n');
  }
  log.info({ node, version: VERSION, ...addresses, authority: `SHA-256 ${authority}`, data }, 'listening');
}

/** Calls back when the signal is aborted, at once if it is already. */
function whenAborted(signal: AbortSignal, then: () => void): void {
  if (signal.aborted) then();
  else signal.addEventListener('abort', then, { once: true });
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

/** The cause is for the owner of the server. Clients do not see it. */
function explain(error: SystemError): string {
  if (error instanceof ListenFailed)
    return `${explain(error.cause)}; ${error.variable} chooses where to listen`;
  if (error instanceof StorageUnavailable && error.cause instanceof Error) return explain(error.cause);
  return EXPLANATIONS[error.code ?? '']?.(error) ?? error.message;
}

/**
 * Runs the server with the settings of this process's environment and arguments.
 * @param stop stops it in order, also while it starts
 * @param limits replace those of the server. Only tests give them.
 */
export function runServer(stop: AbortSignal, limits: Limits = {}): void {
  // Text for a person may be lost, as lines of the log may.
  process.stdout.on('error', () => undefined);
  serve(stop, limits).catch(fail);
}

function fail(error: SystemError): void {
  const help = error instanceof UsageError ? ` (see ${callOf('server')} --help)` : '';
  process.stderr.write(`alarm-twin: ${explain(error)}${help}\n`);
  process.exit(exitStatus(error));
}
