import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { replaceFile } from '../../../firmware/desktop/replace-file.js';

const test = suite<{ directory: string; path: string }>('replacing a file');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'replace-'));
  context.path = join(context.directory, 'file');
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

test('a file is new or replaced, for its owner only, and nothing else is left', ({ directory, path }) => {
  for (const content of ['one', 'two']) {
    replaceFile(path, content);
    assert.is(readFileSync(path, 'utf8'), content);
  }
  assert.is(statSync(path).mode & 0o777, 0o600);
  assert.equal(readdirSync(directory), ['file']);
});

test('half a file that a crash left is no obstacle', ({ directory, path }) => {
  writeFileSync(`${path}.tmp`, 'a half that is longer than the whole');
  replaceFile(path, 'whole');
  assert.is(readFileSync(path, 'utf8'), 'whole');
  assert.equal(readdirSync(directory), ['file']);
});

const needsFull = existsSync('/dev/full') ? test : test.skip;
needsFull('where the new content cannot be written the old one stays', ({ path }) => {
  replaceFile(path, 'old');
  symlinkSync('/dev/full', `${path}.tmp`);
  assert.throws(() => replaceFile(path, 'new'), /ENOSPC/);
  assert.is(readFileSync(path, 'utf8'), 'old');
});

test.run();
