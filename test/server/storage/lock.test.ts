import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DirectoryInUse, takeLock } from '../../../server/storage/lock.js';

const test = suite<{ directory: string }>('lock');

test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'twin-lock-'));
});
test.after.each(({ directory }) => rm(directory, { recursive: true }));

test('a second owner is refused, and the first is named', async ({ directory }) => {
  const unlock = await takeLock(directory);
  try {
    await takeLock(directory);
    assert.unreachable('the lock was taken twice');
  } catch (error) {
    assert.instance(error, DirectoryInUse);
    assert.match((error as Error).message, `process ${process.pid}`);
  }
  await unlock();
  await (await takeLock(directory))();
  assert.equal(await readdir(directory), []);
});

test('the lock of a process that is gone is taken over', async ({ directory }) => {
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  await writeFile(join(directory, 'lock'), JSON.stringify({ pid: gone.pid, began: '1' }));
  const unlock = await takeLock(directory);
  assert.is(JSON.parse(await readFile(join(directory, 'lock'), 'utf8')).pid, process.pid);
  await unlock();
});

test('a lock whose pid belongs to a later process is taken over', async ({ directory }) => {
  await writeFile(join(directory, 'lock'), JSON.stringify({ pid: process.pid, began: 'long ago' }));
  await (await takeLock(directory))();
});

for (const content of ['', '\0\0\0', '{"pid":']) {
  test(`a lock that a power cut left as ${JSON.stringify(content)} is taken over`, async ({ directory }) => {
    await writeFile(join(directory, 'lock'), content);
    await (await takeLock(directory))();
  });
}

test('of many that come at once to a stale lock one gets it', async ({ directory }) => {
  await writeFile(join(directory, 'lock'), JSON.stringify({ pid: process.pid, began: 'long ago' }));
  const module = join(import.meta.dirname, '../../../server/storage/lock.ts');
  const program = `import { takeLock } from ${JSON.stringify(module)};
    takeLock(${JSON.stringify(directory)}).then(() => { console.log('mine'); process.stdin.resume(); },
      (error) => { console.log(error.name); });`;
  const contenders = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]),
  );
  const words = await Promise.all(
    contenders.map(async ({ stdout }) => String((await once(stdout, 'data'))[0]).trim()),
  );
  for (const contender of contenders) contender.kill('SIGKILL');
  assert.equal(words.sort(), [
    'DirectoryInUse',
    'DirectoryInUse',
    'DirectoryInUse',
    'DirectoryInUse',
    'DirectoryInUse',
    'mine',
  ]);
});

test.run();
