/** The catalogue of texts: nothing is missing, left in English, unused, or beside it. */

import { readFileSync } from 'node:fs';
import type { CompiledMessage } from 'icu-minify/format';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Key,
  type Language,
  LANGUAGES as NAMES,
} from '../../../../../server/app/page/words/languages.js';
import { CATALOGUES, LANGUAGES, speechOf } from '../../../../../server/app/speech.js';
import { type Node, readSources, syntaxNodes } from '../../../../structure/sources.js';

const PAGE = 'server/app/page/';
const sources = readSources().filter(
  ({ path }) =>
    [PAGE, 'server/app/worker/'].some((folder) => path.startsWith(folder)) &&
    !path.startsWith(`${PAGE}words/`),
);
const html = readFileSync(`${PAGE}index.html`, 'utf8');
const keys = Object.keys(CATALOGUES.en) as Key[];

/** Texts that are the same in English and in another language. */
const SAME: Partial<Record<Key, readonly Language[]>> = {
  ok: ['de', 'fr', 'es'],
  'app.name': ['de'],
  'mood.alarm': ['de'],
  'mode.title': ['fr'],
  'alarm.notice': ['de'],
  'alert.triggered': ['de'],
  'alert.triggered.what': ['de'],
  'notice.test': ['de'],
  'push.title': ['fr'],
  'push.offer.example': ['de'],
  'console.title': ['fr'],
  'role.app': ['de'],
  'server.title': ['de'],
  'server.name': ['de'],
  'server.version': ['de', 'fr'],
};
/** Texts of numbers, units and other texts only. */
const isWordless = (text: string): boolean => /^(\{\w+\}|[\s:.·]|s|min|h)+$/.test(text);

const parametersOf = (message: CompiledMessage): string[] =>
  typeof message === 'string' ? [] : [...new Set(message.flatMap(parametersIn))].sort();

/** A node is a text, the number of a plural, or a parameter with its kind and its branches. */
function parametersIn(node: unknown): string[] {
  if (!Array.isArray(node)) return [];
  const [name, , branches = {}] = node as [string, unknown?, object?];
  return [
    name,
    ...Object.values(branches).flatMap((branch: unknown) =>
      Array.isArray(branch) ? branch.flatMap(parametersIn) : [],
    ),
  ];
}

for (const language of LANGUAGES) {
  test(`${NAMES[language]} has every text, with the parameters of the English one`, () => {
    const [english, { texts }] = [speechOf('en').texts, speechOf(language)];
    assert.equal(Object.keys(texts).sort(), [...keys].sort());
    for (const key of keys) assert.equal(parametersOf(texts[key]), parametersOf(english[key]), key);
  });

  if (language === 'en') continue;
  test(`${NAMES[language]} has no text that was left in English`, () => {
    const left = keys.filter(
      (key) => CATALOGUES[language][key] === CATALOGUES.en[key] && !isWordless(CATALOGUES.en[key]),
    );
    assert.equal(
      left,
      keys.filter((key) => SAME[key]?.includes(language)),
    );
  });
}

/** A template's text with `*` in place of each expression, or the text itself. */
const textsIn = (node: Node): string[] => {
  if (node.type === 'StringLiteral') return [String(node.value)];
  if (node.type !== 'TemplateLiteral') return [];
  const { quasis } = node as Node & { quasis: { value: { cooked: string } }[] };
  return [quasis.map(({ value }) => value.cooked).join('*')];
};

const matches = (pattern: string, key: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/\W/g, '\\$&'))
      .join('[\\w-]+')}$`,
  ).test(key);

test('every text is used', () => {
  const used = sources.flatMap(({ text, path }) => syntaxNodes(text, path).flatMap(textsIn));
  const literal = new Set(used);
  const patterns = used.filter((text) => text.includes('*') && /^[\w.*-]*\.[\w.*-]*$/.test(text));
  assert.equal(
    keys.filter(
      (key) =>
        !literal.has(key) &&
        !patterns.some((pattern) => matches(pattern, key)) &&
        !html.includes(`{{${key}}}`),
    ),
    [],
  );
});

/** Attributes of which a person reads or hears the value. */
const SPOKEN = [
  'aria-label',
  'title',
  'placeholder',
  'alt',
  'what',
  'aria-description',
  'aria-roledescription',
];
const LETTER = /\p{L}/u;
/** A text with two words of which the first begins with a capital, or one that ends as a sentence does. */
const SENTENCE = /^\p{Lu}\p{L}*[ ,:].*\p{L}|^\p{Lu}.*[.…!?]$/u;

interface JsxNode extends Node {
  value?: { type?: string; value?: unknown } | string;
}

/** The texts of a file that a person reads and that are not in the catalogue. */
function strayTextsIn(text: string, path: string): string[] {
  const nodes = syntaxNodes(text, path) as (JsxNode & { name?: unknown })[];
  return nodes.flatMap((node) => {
    if (node.type === 'JSXText') return LETTER.test(String(node.value)) ? [String(node.value).trim()] : [];
    if (node.type === 'JSXAttribute') {
      const { name } = node.name as unknown as { name: string };
      const value = (node.value as { type?: string; value?: unknown } | undefined) ?? {};
      return SPOKEN.includes(name) && value.type === 'StringLiteral' && LETTER.test(String(value.value))
        ? [String(value.value)]
        : [];
    }
    return textsIn(node).filter((each) => SENTENCE.test(each.trim()));
  });
}

/** Names that the browser gives, and the words of an error that no person sees. */
const NAMES_OF_CODE = [/^the (page|app) has no/, /^this phone is not subscribed$/];

test('no text stands beside the catalogue', () => {
  const stray = sources.flatMap(({ text, path }) =>
    strayTextsIn(text, path)
      .filter((each) => !NAMES_OF_CODE.some((name) => name.test(each)))
      .map((each) => `${path}: ${each}`),
  );
  assert.equal(stray, []);
  assert.not.match(html.replace(/"?\{\{[\w.-]+\}\}"?/g, ''), />\s*[^<>\s]/);
});

test('a text beside the catalogue is found', () => {
  const file = `
    const one = <p>Armed <b aria-label="Ring">{'Door open'}</b></p>;
    const two = \`Rang at \${three}\`;
    const four = say('ok');
  `;
  assert.equal(strayTextsIn(file, 'x.tsx'), ['Armed', 'Ring', 'Door open', 'Rang at *']);
});

test.run();
