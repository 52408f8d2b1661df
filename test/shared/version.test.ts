import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../../shared/version.js';

test('the version is the one of the package, and a semantic version', () => {
  assert.is(VERSION, JSON.parse(readFileSync('package.json', 'utf8')).version);
  assert.match(VERSION, /^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/);
});

test('the changelog says what is new in the version', () => {
  const changelog = readFileSync('server/CHANGELOG.md', 'utf8');
  assert.ok(changelog.includes(`\n## [${VERSION}]`), VERSION);
});

test.run();
