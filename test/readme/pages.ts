/** The project's pages in Markdown: their headings, links and code. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';

const FOLDERS = ['firmware', 'manifests', 'server', 'shared', 'test'];

export interface Page {
  /** From the project's top. */
  path: string;
  text: string;
  /** The text without its blocks of code. */
  prose: string;
  blocks: CodeBlock[];
  /** As a link names them: `#the-board` is `the-board`. */
  anchors: Set<string>;
}

export interface CodeBlock {
  language: string;
  text: string;
  /** In the page, from 1. */
  line: number;
  /** The prose since the block before. */
  before: string;
}

export const readPages = (): Page[] => ['README.md', ...FOLDERS.flatMap(pagesBelow)].map(readPage);

const pagesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`);

export const readPage = (path: string): Page => pageOf(path, readFileSync(path, 'utf8'));

const CODE = /^```(\w*)\n(.*?)^```$/gms;

export function pageOf(path: string, text: string): Page {
  const prose = text.replace(CODE, '');
  const headings = [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
  return {
    path,
    text,
    prose,
    blocks: blocksOf(text),
    anchors: new Set(headings),
  };
}

function blocksOf(text: string): CodeBlock[] {
  let end = 0;
  return [...text.matchAll(CODE)].map(({ 0: whole, 1: language = '', 2: code = '', index }) => {
    const before = text.slice(end, index);
    end = index + whole.length;
    return { language, text: code, line: text.slice(0, index).split('\n').length + 1, before };
  });
}

/** As GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

export interface Link {
  /** From the project's top; the page itself for a link within it. */
  path: string;
  anchor: string | undefined;
}

/** The links of a page, and its pictures, that stay within the project. */
export function linksOf({ path, prose }: Page): Link[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#');
      return { path: file === '' ? path : normalize(`${dirname(path)}/${file}`), anchor };
    });
}
