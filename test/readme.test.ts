import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMON_OPTIONS } from '../server/cli/arguments.js';
import { COMMANDS } from '../server/cli/commands.js';
import { flagOf, SETTINGS } from '../server/config.js';
import { linksOf, type Page, pageOf, readPage, readPages } from './readme/pages.js';
import { agrees, keysIn, stepsOf } from './readme/transcript.js';

/** The first page is to be read on three screens. */
const MOST_LINES_OF_THE_FIRST = 150;

const pages = readPages();
const serverPage = readPage('server/README.md').text;
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

const cell = (text: string): string => (text === '' ? '' : `\`${text}\``);

/** What each page says wrongly, as `page: what`. */
const faults = (find: (page: Page) => string[]): string[] =>
  pages.flatMap((page) => find(page).map((what) => `${page.path}: ${what}`));

test('the first page is short', () => {
  const lines = readPage('README.md').text.split('\n').length - 1;
  assert.ok(lines <= MOST_LINES_OF_THE_FIRST, `${lines} lines`);
});

function deadLinks(page: Page): string[] {
  return linksOf(page)
    .filter(({ path, anchor }) => {
      const target = path === page.path ? page : pages.find((other) => other.path === path);
      return anchor === undefined ? !existsSync(path) : !target?.anchors.has(anchor);
    })
    .map(({ path, anchor }) => (anchor === undefined ? path : `${path}#${anchor}`));
}

test('every link leads to a file of the project, and to a heading in it', () => {
  assert.equal(faults(deadLinks), []);
});

test('a link that leads nowhere is found', () => {
  const text = '# A page, for once\n[a](#a-page-for-once) [b](#b) [c](https://c.example) ![d](../d.png)\n';
  assert.equal(deadLinks(pageOf('server/page.md', text)), ['server/page.md#b', 'd.png']);
});

test('every page can be reached from the first one by links', () => {
  const reached = new Set(['README.md']);
  for (const path of reached) {
    const page = pages.find((other) => other.path === path);
    for (const link of page === undefined ? [] : linksOf(page)) reached.add(link.path);
  }
  assert.equal(
    pages.map(({ path }) => path).filter((path) => !reached.has(path)),
    [],
  );
});

test("every setting stands in the server's page with its flag, its default and its meaning", () => {
  const rows = Object.values(SETTINGS).map(
    ({ variable, fallback, help }) =>
      `| \`${variable}\` | \`--${flagOf(variable)}\` | ${cell(fallback)} | ${help} |`,
  );
  assert.equal(
    rows.filter((row) => !serverPage.includes(row)),
    [],
  );
});

test('every setting that a page names exists', () => {
  const ofTheCommandLine = COMMON_OPTIONS.url.help.match(/TWIN_[A-Z]+/g) ?? [];
  const variables = Object.values(SETTINGS)
    .map(({ variable }) => variable)
    .concat(ofTheCommandLine, 'TWIN_TEST_DATABASE');
  const unknown = ({ text }: Page) =>
    (text.match(/\bTWIN_[A-Z_]+/g) ?? []).filter((name) => !variables.includes(name));
  assert.equal(faults(unknown), []);
});

test("every command of the command line stands in the server's page with its words", () => {
  const commands = [...COMMANDS].map(([name, { words }]) => `\`${`${name} ${words}`.trim()}\``);
  assert.equal(
    commands.filter((command) => !serverPage.includes(command)),
    [],
  );
});

test('every npm command that a page names exists', () => {
  const unknown = ({ text }: Page) =>
    [...text.matchAll(/\bnpm run (?:-s |--silent )?([a-z:]+)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !(name in scripts));
  assert.equal(faults(unknown), []);
});

/** Paths in inline code, but for `manifests/local/`, which `npm run flash` makes. */
const PATH = /`((?:firmware|server|shared|manifests|test|\.ci|\.github)\/(?!local\/)[\w./-]*)`/g;

test('every path of the project that a page names exists', () => {
  const named = ({ text }: Page) => [...text.matchAll(PATH)].map(([, path = '']) => path);
  assert.ok(pages.flatMap(named).length > 20);
  assert.equal(
    faults((page) => named(page).filter((path) => !existsSync(path))),
    [],
  );
});

test('the commands of a page are found, with what each prints', () => {
  const text = 'Press `o`:\n\n```console\n$ first\nits line\n$ second\n```\n\n```sh\nthird\n```\n';
  const { blocks } = pageOf('page.md', text);
  assert.equal(blocks.flatMap(stepsOf), [
    { command: 'first', shown: ['its line'], line: 4 },
    { command: 'second', shown: [], line: 6 },
    { command: 'third', shown: [], line: 10 },
  ]);
  assert.equal(
    blocks.map(({ before }) => keysIn(before)),
    [['o'], []],
  );
});

/** What a page shows, and what a command printed. */
const OUTPUTS: [shown: string[], printed: string[], agree: boolean][] = [
  [['one', 'two'], ['one', '', 'two'], true],
  [['one', 'two'], ['one'], false],
  [['one'], ['one', 'two'], false],
  [['one', '…'], ['one', 'two', 'three'], true],
  [['…', 'three'], ['one', 'two'], false],
  [['at 2026-11-26T07:02:12.565Z'], ['at 2030-01-01T00:00:00.000Z'], true],
  [['at 2026-11-26T07:02:12.565Z'], ['at noon'], false],
  [['{', '"a": 1,', '"b": 2', '}'], ['{', '"b": 2,', '"a": 1', '}'], true],
  [['{', '"a": 1', '}'], ['{', '"a": 2', '}'], false],
  [['x {"a":1,…,"c":3}'], ['x {"a":1,"b":2,"c":3}'], true],
  [['x {"a":1,"b":2}'], ['x {"b":2,"a":1}'], true],
  [['x {"a":1,"b":2}'], ['x {"b":2,"a":2}'], false],
];

test('an output agrees with a page when only dates, ids, the order of keys and what is left out differ', () => {
  const wrong = OUTPUTS.filter(([shown, printed, agree]) => agrees(shown, printed) !== agree);
  assert.equal(wrong, []);
  assert.ok(agrees(['two'], ['one', 'two', 'three'], true));
  assert.not(agrees(['four'], ['one', 'two', 'three'], true));
});

test.run();
