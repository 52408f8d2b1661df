import { mkdtempSync, promises, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeDirectory } from '../../../server/storage/directory.js';
import { skipping } from '../../programs.js';

const test = suite<{ place: string }>('directories');
const onLinux = process.platform === 'linux' ? test : skipping('the /proc of Linux', test);

test.before.each((context) => {
  context.place = mkdtempSync(join(tmpdir(), 'twin-directory-'));
});
test.after.each(({ place }) => rmSync(place, { recursive: true }));

/** What it says when it fails. */
async function refusal(directory: string): Promise<string> {
  const error = await makeDirectory(directory).then(
    () => new Error('it was made'),
    (thrown: Error) => thrown,
  );
  return error.message;
}

test('a directory is made with its parents, for its owner alone, and again without a change', async ({
  place,
}) => {
  const directory = join(place, 'a/b/c');
  for (const _ of [1, 2]) await makeDirectory(directory);
  assert.is(statSync(directory).mode & 0o777, 0o700);
  assert.is(statSync(join(place, 'a')).mode & 0o777, 0o700);
});

test('several may make the same directory at a time', async ({ place }) => {
  await Promise.all(['b', 'b', 'c'].map((name) => makeDirectory(join(place, 'a', name))));
  assert.ok(statSync(join(place, 'a/c')).isDirectory());
});

test('a parent that comes from elsewhere in the same moment is no error', async ({ place }) => {
  const { mkdir } = promises;
  const replace = (by: typeof mkdir) => {
    promises.mkdir = by;
    syncBuiltinESMExports();
  };
  const missing = async (path: string) => {
    replace(mkdir);
    await mkdir(dirname(path));
    throw Object.assign(new Error(`${path} has no parent yet`), { code: 'ENOENT' });
  };
  replace(missing as typeof mkdir);
  await makeDirectory(join(place, 'parent', 'child'));
  assert.ok(statSync(join(place, 'parent', 'child')).isDirectory());
});

test('a file or a link that leads nowhere is named, in its place or above it', async ({ place }) => {
  const file = join(place, 'file');
  const link = join(place, 'link');
  writeFileSync(file, '');
  symlinkSync(join(place, 'nowhere'), link);
  assert.is(await refusal(file), `${file} cannot be made: it is not a directory`);
  assert.match(await refusal(join(file, 'below')), /ENOTDIR/);
  assert.is(await refusal(link), `${link} cannot be made: it is a link that leads nowhere`);
  assert.is(await refusal(join(link, 'below')), `${link} cannot be made: it is a link that leads nowhere`);
});

onLinux('a file system that takes no directories is an error, and no endless attempt', async () => {
  assert.is(await refusal('/proc/nope'), '/proc/nope cannot be made: /proc takes no directories');
  assert.is(await refusal('/proc/nope/below'), '/proc/nope cannot be made: /proc takes no directories');
});

test.run();
