/**
 * Keeps a second server out of a data directory. The owner of the directory listens on a Unix socket in it. The kernel
 * closes the socket when the process ends, and a socket works across the PID namespaces of one machine. So when a
 * connection is refused, the owner is gone.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { connect, createServer, Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What an owner says of itself. The process id is that of its own PID namespace. */
interface Owner {
  readonly pid?: number;
  /** RFC 3339 */
  readonly since?: string;
}

/** Another server uses the directory. */
export class DirectoryInUse extends Error {
  override name = 'DirectoryInUse';
  constructor(directory: string, { pid, since }: Owner) {
    const which = pid === undefined ? '' : `, process ${pid}`;
    super(`${directory} is in use by another server${which}${since === undefined ? '' : `, since ${since}`}`);
  }
}

/** The file system has no Unix sockets. */
export class NoSocketsHere extends Error {
  override name = 'NoSocketsHere';
  constructor(directory: string, { code }: NodeJS.ErrnoException) {
    super(
      `${directory} cannot be locked against a second server: its file system has no Unix sockets (${code}); ` +
        'choose a directory on another one, such as ext4',
    );
  }
}

/** How long to wait for an owner that is ending. */
const WAIT_MS = 1000;
const LONGEST_PAUSE_MS = 50;
/**
 * How long an owner may take to answer. A process that is suspended does not answer, but it still owns the directory.
 */
const ANSWER_MS = 500;
/** The longest path of a socket: 108 bytes with the final zero on Linux, 104 on macOS. */
const PATH_BYTES = 103;

const newName = (): string => `lock.${randomBytes(6).toString('hex')}.sock`;
const NAME = /^lock\.[0-9a-f]{12}\.sock$/;

/** What another process of the same user asks of the owner: to take up contents that are ready, see `swap.ts`. */
const REQUEST = 'restore';

/**
 * Takes a directory for this process. Returns a function that gives it back.
 *
 * Each process first listens on a socket with its own name, then looks for other processes that listen, and steps back
 * when there is one. When two come at once, the second sees the first, so they never both take the directory. When both
 * step back, they try again after a pause of random length.
 * @param onRequest another process asks to take up new contents
 * @throws DirectoryInUse, NoSocketsHere, or what the file system throws
 */
export async function takeLock(directory: string, onRequest = () => {}): Promise<() => Promise<void>> {
  await refuseFormerLock(directory);
  const { pathOf, release } = pathsIn(directory);
  const unlock = async (server?: Server) => {
    // Node removes the socket's file, by the path that it was bound to, before close() returns.
    server?.close();
    release();
  };
  const deadline = performance.now() + WAIT_MS;
  try {
    for (;;) {
      const outcome = await tryToTake(directory, pathOf, onRequest);
      if (outcome instanceof Server) return () => unlock(outcome);
      if (performance.now() > deadline) throw new DirectoryInUse(directory, outcome);
      await delay(Math.random() * LONGEST_PAUSE_MS);
    }
  } catch (error) {
    await unlock();
    throw error;
  }
}

type PathOf = (name: string) => string;

/** The server that listens from now on, or the present owner. */
async function tryToTake(directory: string, pathOf: PathOf, onRequest: () => void): Promise<Server | Owner> {
  const before = await look(directory, pathOf);
  if (before.owner !== undefined) return before.owner;
  const name = newName();
  const server = await listen(directory, pathOf(name), onRequest);
  const { owner, gone, names } = await look(directory, pathOf, name);
  // Another process may have removed the name as stale, before this one listened on it.
  if (owner !== undefined || !names.includes(name)) {
    server.close();
    return owner ?? {};
  }
  for (const stale of gone) await rm(join(directory, stale), { force: true });
  return server;
}

/** The names of all sockets, those that no process listens on, and an owner that listens. */
async function look(directory: string, pathOf: PathOf, own?: string) {
  const names = (await readdir(directory)).filter((name) => NAME.test(name));
  const others = names.filter((name) => name !== own);
  const owners = await Promise.all(others.map((name) => ownerOf(pathOf(name))));
  return {
    names,
    gone: others.filter((_, index) => owners[index] === undefined),
    owner: owners.find((owner) => owner !== undefined),
  };
}

async function listen(directory: string, path: string, onRequest: () => void): Promise<Server> {
  const owner: Owner = { pid: process.pid, since: new Date().toISOString() };
  const server = createServer((socket) => {
    socket.unref().on('error', () => undefined);
    socket.once('data', (chunk) => {
      if (String(chunk) === REQUEST) onRequest();
    });
    socket.end(JSON.stringify(owner));
  });
  await new Promise<void>((listening, failed) => {
    server.on('error', (error: NodeJS.ErrnoException) =>
      failed(
        NO_SOCKETS.has(error.code ?? '')
          ? new NoSocketsHere(directory, error)
          : Object.assign(error, { path: directory }),
      ),
    );
    server.listen(path, listening);
  });
  // The lock alone does not keep the process alive.
  return server.unref();
}

const NO_SOCKETS = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EINVAL']);
const NOT_LISTENING = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK']);

/**
 * Asks the owner of a directory to take up new contents.
 * @returns false when there is no owner
 */
export async function askOwner(directory: string): Promise<boolean> {
  const { pathOf, release } = pathsIn(directory);
  const names = (await readdir(directory)).filter((name) => NAME.test(name));
  const owners = await Promise.all(names.map((name) => ownerOf(pathOf(name), REQUEST)));
  release();
  return owners.some((owner) => owner !== undefined);
}

/** The owner that listens there, or undefined when no process does. */
function ownerOf(path: string, request?: string): Promise<Owner | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    if (request !== undefined) socket.write(request);
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (NOT_LISTENING.has(code ?? '')) resolve(undefined);
    });
    socket.on('close', () => resolve(ownerIn(text)));
  });
}

function ownerIn(text: string): Owner {
  try {
    const { pid, since } = JSON.parse(text);
    return { pid: Number(pid), since: String(since) };
  } catch {
    return {};
  }
}

/** How sockets in the directory are named. On Linux a directory with a long path is named by a descriptor of it. */
function pathsIn(directory: string): { pathOf: PathOf; release: () => void } {
  const longest = Buffer.byteLength(join(directory, newName()));
  if (longest <= PATH_BYTES || process.platform !== 'linux') {
    return { pathOf: (name) => join(directory, name), release: () => undefined };
  }
  const fd = openSync(directory, 'r');
  return { pathOf: (name) => `/proc/self/fd/${fd}/${name}`, release: () => closeSync(fd) };
}

/**
 * A server before version 0.2 locks with a file. It names the process and when it began, in clock ticks since boot. The
 * file is removed when that process is gone.
 * @throws DirectoryInUse
 */
async function refuseFormerLock(directory: string): Promise<void> {
  const path = join(directory, 'lock');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const { pid, began } = formerOwnerIn(text);
  if (pid !== undefined && pid !== process.pid && (await beginOf(pid)) === began) {
    throw new DirectoryInUse(directory, { pid });
  }
  await rm(path, { force: true });
}

function formerOwnerIn(text: string): { pid?: number; began?: string | null } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** When a process began, from `/proc`. Undefined for a process that is not there or has ended. */
async function beginOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : rest[18];
}
