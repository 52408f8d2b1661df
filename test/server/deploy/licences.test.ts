import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { licencesOf } from '../../../server/deploy/licences.js';

const test = suite<{ root: string }>('licences');

test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'licences-'));
});
test.after.each(({ root }) => rmSync(root, { recursive: true, force: true }));

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const describe = (name: string, license?: string): string =>
  JSON.stringify({ name, version: '1.2.3', license });

test('of a package that is inside another, and of one with a scope, are all there, once', ({ root }) => {
  write(root, 'node_modules/a/package.json', describe('a', 'MIT'));
  write(root, 'node_modules/a/LICENSE', 'The text of a.');
  write(root, 'node_modules/a/node_modules/@b/c/package.json', describe('@b/c', 'ISC'));
  write(root, 'node_modules/a/node_modules/@b/c/Licence.md', 'The text of c.');
  const inputs = [
    'server/main.ts',
    'node_modules/a/index.js',
    'node_modules/a/lib/more.js',
    'node_modules/a/node_modules/@b/c/index.js',
  ];
  const text = licencesOf(root, inputs);
  assert.is(text.split('a 1.2.3: MIT\n\nThe text of a.\n').length, 2);
  assert.is(text.split('@b/c 1.2.3: ISC\n\nThe text of c.\n').length, 2);
});

test('a package without a licence is not packed', ({ root }) => {
  write(root, 'node_modules/a/package.json', describe('a'));
  assert.throws(() => licencesOf(root, ['node_modules/a/index.js']), /a has no licence/);
});

test.run();
