/** Plain English: words that make a reader stop, in everything that a person reads. */

import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const FOLDERS = ['.ci', '.github', 'firmware', 'manifests', 'server', 'shared', 'test'];
const READ = /\.(tsx?|mjs|md|html|ya?ml)$|^\.ci\//;
/** This file names them all. */
const HERE = 'test/words.test.ts';

/** The words, and what to write in their place. */
const RIDDLES: [RegExp, string][] = [
  [/\bwhoever\b/i, 'name who it is: a client, a token, the owner'],
  [/\b(nobody|no one)\b/i, 'no client, no program, or say it without'],
  [/\bwhom\b|\bwhose own\b/i, 'begin a new sentence'],
  [/\bshall\b/i, 'must, will, or is to'],
  [/\b(thereof|of its own accord)\b/i, 'of it, by itself'],
  [/\b(is|are|was|were|be|been) told\b/i, 'say who tells it: the server sends …, the device hears …'],
  [/\bwhat is no\b/i, 'a text that is not …'],
  [
    /(^\s*(\/\/|\/?\*+)\s*|['"`(]|[.;:] |\*\* )who (?!\w+\?)/i,
    'name who it is: a client, a token, the owner',
  ],
];

interface Text {
  path: string;
  text: string;
}

const texts: Text[] = ['README.md', ...FOLDERS.flatMap(filesBelow)]
  .filter((path) => READ.test(path) && path !== HERE)
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .filter((path) => !path.startsWith('manifests/local/'));
}

/** Each as `path:line: word → what to write`. */
const riddlesIn = ({ path, text }: Text): string[] =>
  text.split('\n').flatMap((line, index) =>
    RIDDLES.flatMap(([form, instead]) => {
      const [found] = form.exec(line) ?? [];
      return found === undefined ? [] : [`${path}:${index + 1}: ${found.trim()} → ${instead}`];
    }),
  );

test('nothing that a person reads is a riddle', () => {
  assert.equal(texts.flatMap(riddlesIn), []);
});

test('a riddle is found, with its place', () => {
  const text = [
    '// The server sends it.',
    '/** Who comes late is told nothing. */',
    'const nobody = 1;',
  ].join('\n');
  assert.equal(
    riddlesIn({ path: 'x.ts', text }).map((found) => found.split(' →')[0]),
    ['x.ts:2: is told', 'x.ts:2: /** Who', 'x.ts:3: nobody'],
  );
});

test('pages, sources and scripts are all read', () => {
  for (const kind of [/\.md$/, /\.test\.ts$/, /^\.ci\//, /\.yml$/, /\.html$/])
    assert.ok(
      texts.some(({ path }) => kind.test(path)),
      String(kind),
    );
});

test.run();
