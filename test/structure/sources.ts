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

/** A path from the project's top without extension, or the name of a package. */
export function resolve(specifier: string, importer: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return posix.join(posix.dirname(importer), specifier).replace(SOURCE, '');
}

/** A node of the syntax tree, as far as the structure needs it. */
export interface Node {
  type: string;
  value?: unknown;
  name?: string;
  exportKind?: string;
  source?: Node | null;
  argument?: Node;
  arguments?: Node[];
  callee?: Node;
  property?: Node;
  qualifier?: Node;
  declaration?: Node | null;
  declarations?: Node[];
  specifiers?: Node[];
  id?: Node;
  imported?: Node;
  local?: Node;
  exported?: Node;
}

/** Where each kind of import and re-export keeps its specifier. */
const SPECIFIER: Record<string, (node: Node) => Node | null | undefined> = {
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
  return syntaxNodes(text, path).flatMap((node) => {
    const value = SPECIFIER[node.type]?.(node)?.value;
    return typeof value === 'string' ? [resolve(value, path)] : [];
  });
}

/** Every node of the file's syntax tree. */
export function syntaxNodes(text: string, path: string): Node[] {
  const { program } = parse(text, {
    sourceType: 'module',
    plugins: path.endsWith('.tsx') ? ['typescript', 'jsx'] : ['typescript'],
    sourceFilename: path,
    createImportExpressions: true,
  });
  return nodesIn(program);
}

function nodesIn(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.values(value).flatMap(nodesIn);
  return isNode(value) ? [value, ...below] : below;
}

const isNode = (value: object): value is Node => 'type' in value && typeof value.type === 'string';
