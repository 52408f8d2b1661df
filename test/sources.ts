/** The project's own source files and what each imports, for the tests of its structure. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parse } from '@babel/parser';

const FOLDERS = ['firmware', 'server', 'shared', 'test'];
const SOURCE = /\.(tsx?|js|mjs)$/;

export interface Source {
  /** From the project's top, with `/`. */
  path: string;
  text: string;
  /** See {@link importsOf}. */
  imports: string[];
}

export const readSources = (): Source[] => FOLDERS.flatMap(sourcesBelow);

function sourcesBelow(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => SOURCE.test(file))
    .map((file) => {
      const path = posix.join(folder, file);
      const text = readFileSync(join(folder, file), 'utf8');
      return { path, text, imports: importsOf(text, path) };
    });
}

function resolve(specifier: string, importer: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return posix.join(posix.dirname(importer), specifier).replace(SOURCE, '');
}

interface Node {
  type: string;
  source?: Node;
  argument?: Node;
  value?: unknown;
}

/** Where each kind of import and re-export keeps its specifier. */
const SPECIFIER: Record<string, (node: Node) => Node | undefined> = {
  ImportDeclaration: (node) => node.source,
  ExportNamedDeclaration: (node) => node.source,
  ExportAllDeclaration: (node) => node.source,
  ImportExpression: (node) => node.source,
  TSImportType: (node) => node.argument,
};

/**
 * What a file imports, types included: the path without extension for a file of the project, else the specifier as it
 * stands.
 */
export function importsOf(text: string, path: string): string[] {
  const { program } = parse(text, {
    sourceType: 'module',
    plugins: path.endsWith('.tsx') ? ['typescript', 'jsx'] : ['typescript'],
    sourceFilename: path,
    createImportExpressions: true,
  });
  return nodesIn(program).flatMap((node) => {
    const value = SPECIFIER[node.type]?.(node)?.value;
    return typeof value === 'string' ? [resolve(value, path)] : [];
  });
}

function nodesIn(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.values(value).flatMap(nodesIn);
  return isNode(value) ? [value, ...below] : below;
}

const isNode = (value: object): value is Node => 'type' in value && typeof value.type === 'string';
