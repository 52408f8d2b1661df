import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMON_OPTIONS } from '../server/cli/arguments.js';
import { COMMANDS } from '../server/cli/commands.js';
import { flagOf, SETTINGS } from '../server/config.js';

const readme = readFileSync('README.md', 'utf8');
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

const cell = (text: string): string => (text === '' ? '' : `\`${text}\``);

test('every setting stands in the README with its flag, its default and its meaning', () => {
  const rows = Object.values(SETTINGS).map(
    ({ variable, fallback, help }) =>
      `| \`${variable}\` | \`--${flagOf(variable)}\` | ${cell(fallback)} | ${help} |`,
  );
  assert.equal(
    rows.filter((row) => !readme.includes(row)),
    [],
  );
});

test('every setting that the README names exists', () => {
  const ofTheCommandLine = COMMON_OPTIONS.url.help.match(/TWIN_[A-Z]+/g) ?? [];
  const variables = new Set(
    Object.values(SETTINGS)
      .map(({ variable }) => variable)
      .concat(ofTheCommandLine),
  );
  const named = readme.match(/\bTWIN_[A-Z_]+/g) ?? [];
  assert.equal(
    named.filter((variable) => !variables.has(variable)),
    [],
  );
});

test('every command of the command line stands in the README with its words', () => {
  const commands = [...COMMANDS].map(([name, { words }]) => `\`${`${name} ${words}`.trim()}\``);
  assert.equal(
    commands.filter((command) => !readme.includes(command)),
    [],
  );
});

test('every npm command that the README names exists', () => {
  const named = [...readme.matchAll(/\bnpm run ([a-z]+)/g)].map(([, name]) => name ?? '');
  assert.ok(named.length > 0);
  assert.equal(
    named.filter((name) => !(name in scripts)),
    [],
  );
});

test('every path that the README names in a table of the parts exists', () => {
  const paths = [...readme.matchAll(/^\| `([\w./-]+\/[\w./-]*)` \|/gm)].map(([, path]) => path ?? '');
  assert.ok(paths.length > 0);
  assert.equal(
    paths.filter((path) => !existsSync(path)),
    [],
  );
});

test.run();
