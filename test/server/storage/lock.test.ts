import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DirectoryInUse, NoSocketsHere, takeLock } from '../../../server/storage/lock.js';
import { needsIn, needsNamespaces } from '../../programs.js';
import { until } from '../../until.js';

interface Context {
  directory: string;
  /** A process that takes the lock and keeps it; what it says. */
  holder: (directory: string, prefix?: string[]) => Promise<Holder>;
}

interface Holder {
  process: ChildProcess;
  says: string;
}

const test = suite<Context>('lock');
const run = promisify(execFile);

const MODULE = join(import.meta.dirname, '../../../server/storage/lock.ts');
const programFor = (directory: string) => `import { takeLock } from ${JSON.stringify(MODULE)};
  takeLock(${JSON.stringify(directory)}).then(
    () => { console.log('mine ' + process.pid); setInterval(() => {}, 1e6); },
    (error) => console.log(error.message));`;

const started: ChildProcess[] = [];

test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'twin-lock-'));
  context.holder = async (directory, prefix = []) => {
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', programFor(directory)];
    const [command = '', ...args] = [...prefix, ...node];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    return { process: child, says: String((await once(child.stdout, 'data'))[0]).trim() };
  };
});
test.after.each(async ({ directory }) => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

async function refusal(taking: Promise<unknown>): Promise<Error> {
  try {
    await taking;
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable('the lock was taken') as never;
}

test('a second owner is refused, and the message names the first and when it began', async ({
  directory,
}) => {
  const unlock = await takeLock(directory);
  const error = await refusal(takeLock(directory));
  assert.instance(error, DirectoryInUse);
  const [, pid, since] = /process (\d+), since (\S+)$/.exec(error.message) ?? [];
  assert.is(Number(pid), process.pid);
  assert.ok(Date.now() - Date.parse(since ?? '') < 60_000, error.message);
  await unlock();
  await (await takeLock(directory))();
  assert.equal(await readdir(directory), []);
});

test('the lock of a process that was killed is free at once', async ({ directory, holder }) => {
  const first = await holder(directory);
  assert.match(first.says, /^mine/);
  first.process.kill('SIGKILL');
  const unlock = await takeLock(directory);
  assert.is((await readdir(directory)).length, 1, 'the socket of the first is removed');
  await unlock();
});

needsIn(
  test,
  'bash',
  'sleep',
)('the lock of a zombie is free', async ({ directory, holder }) => {
  // The shell becomes a program that never asks how its child ended.
  const { says, process: parent } = await holder(directory, ['bash', '-c', '"$@" & exec sleep 1000', 'bash']);
  const pid = Number(says.replace('mine ', ''));
  process.kill(pid, 'SIGKILL');
  const unlock = await takeLock(directory);
  if (process.platform === 'linux')
    await until(async () => /\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')));
  await unlock();
  parent.kill('SIGKILL');
});

test('a suspended process keeps its lock', async ({ directory, holder }) => {
  const first = await holder(directory);
  first.process.kill('SIGSTOP');
  assert.instance(await refusal(takeLock(directory)), DirectoryInUse);
});

const NAMESPACE = ['unshare', '-rpf', '--kill-child', '--mount-proc'];

needsNamespaces(test)(
  'a lock holds across PID namespaces, where both are process 1',
  async ({ directory, holder }) => {
    const [first, second] = [await holder(directory, NAMESPACE), await holder(directory, NAMESPACE)];
    assert.is(first.says, 'mine 1');
    assert.match(second.says, /is in use by another server, process 1, since/);
  },
);

test('of many processes that come at once to a stale lock one gets it', async ({ directory, holder }) => {
  const stale = await holder(directory);
  stale.process.kill('SIGKILL');
  await once(stale.process, 'exit');
  const contenders = await Promise.all(Array.from({ length: 6 }, () => holder(directory)));
  const refused = contenders.filter(({ says }) => says.includes('is in use by another server'));
  const taken = contenders.filter(({ says }) => says.startsWith('mine'));
  assert.equal([taken.length, refused.length], [1, 5]);
});

test('of many calls at once in one process one gets the lock, however they interleave', async ({
  directory,
}) => {
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(directory)));
  const taken = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  assert.is(taken.length, 1);
  await taken[0]?.value();
});

needsIn(test, 'cp')('a directory that was copied while it was in use can be taken', async ({ directory }) => {
  const original = join(directory, 'original');
  const copy = join(directory, 'copy');
  await mkdir(original);
  const unlock = await takeLock(original);
  await run('cp', ['-a', original, copy]);
  assert.is((await readdir(copy)).length, 1);
  await (await takeLock(copy))();
  assert.equal(await readdir(copy), []);
  await unlock();
});

test('a regular file in the place of a socket is no lock', async ({ directory }) => {
  await writeFile(join(directory, 'lock.0123456789ab.sock'), '');
  await (await takeLock(directory))();
  assert.equal(await readdir(directory), []);
});

test('a directory with a path too long for a socket is locked too', async ({ directory, holder }) => {
  const deep = join(directory, 'x'.repeat(100), 'y'.repeat(100));
  await mkdir(deep, { recursive: true });
  const unlock = await takeLock(deep);
  assert.match((await holder(deep)).says, `process ${process.pid}`);
  await unlock();
  assert.equal(await readdir(deep), []);
});

test('a file system without sockets is named in one line', async ({ directory }) => {
  const { listen } = Server.prototype;
  Server.prototype.listen = function refuse(this: Server) {
    this.emit('error', Object.assign(new Error('listen EOPNOTSUPP'), { code: 'EOPNOTSUPP' }));
    return this;
  };
  try {
    const error = await refusal(takeLock(directory));
    assert.instance(error, NoSocketsHere);
    assert.match(
      error.message,
      /^\/\S+ cannot be locked .*\(EOPNOTSUPP\); choose a directory on another one/,
    );
  } finally {
    Server.prototype.listen = listen;
  }
});

/** As a server before version 0.2 writes it. */
const writeFormerLock = (directory: string, pid: number | undefined, began: string | undefined) =>
  writeFile(join(directory, 'lock'), JSON.stringify({ pid, began }));

const beganAt = async (pid: number | undefined) => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
};

test('the lock file of a former version is removed when its process is gone', async ({ directory }) => {
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  await writeFormerLock(directory, gone.pid, '1');
  await (await takeLock(directory))();
  assert.equal(await readdir(directory), []);
});

test('the lock file of a former version is removed when its pid belongs to a later process', async ({
  directory,
}) => {
  await writeFormerLock(directory, process.ppid, '1');
  await (await takeLock(directory))();
});

(process.platform === 'linux' ? test : test.skip)(
  'the lock file of a former version that is running is respected, also when it is of this very process no more',
  async ({ directory }) => {
    await writeFormerLock(directory, process.ppid, await beganAt(process.ppid));
    assert.match((await refusal(takeLock(directory))).message, `process ${process.ppid}`);
    await writeFormerLock(directory, process.pid, await beganAt(process.pid));
    await (await takeLock(directory))();
  },
);

for (const content of ['', '\0\0\0', '{"pid":']) {
  test(`a lock file that a power cut left as ${JSON.stringify(content)} is removed`, async ({
    directory,
  }) => {
    await writeFile(join(directory, 'lock'), content);
    await (await takeLock(directory))();
    assert.equal(await readdir(directory), []);
  });
}

test.run();
