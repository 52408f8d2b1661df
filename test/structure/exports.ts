/** What the files of the product export, and which of it no other file of the product imports. */

import { type Node, resolve, type Source, syntaxNodes } from './sources.js';

export interface Export {
  path: string;
  name: string;
  kind: 'value' | 'type';
}

/** A module that is imported as a whole, so that all its exports are in use. */
const ALL = '*';

export function deadExports(product: Source[]): Export[] {
  const files = product.map((source) => ({ source, nodes: syntaxNodes(source.text, source.path) }));
  const used = new Set(files.flatMap(({ source, nodes }) => usesIn(nodes, source.path)));
  const isUsed = ({ path, name }: Export): boolean => {
    const file = path.replace(/(\.d)?\.\w+$/, '');
    return used.has(`${file} ${name}`) || used.has(`${file} ${ALL}`);
  };
  return files
    .flatMap(({ source, nodes }) => exportsIn(nodes, source.path))
    .filter((found) => found.name !== 'default' && !isUsed(found));
}

/** `file name` of each name that the file takes from another of the project. */
function usesIn(nodes: Node[], path: string): string[] {
  return nodes.flatMap((node) => {
    const from = (specifier: unknown): string => resolve(String(specifier), path);
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration': {
        if (!node.source) return [];
        const names = (node.specifiers ?? []).map(({ imported, local }) => {
          const named = node.type === 'ImportDeclaration' ? imported : local;
          return named?.name ?? ALL;
        });
        return names.map((name) => `${from(node.source?.value)} ${name}`);
      }
      case 'ExportAllDeclaration':
      case 'ImportExpression':
        return [`${from(node.source?.value)} ${ALL}`];
      case 'TSImportType':
        return [`${from(node.argument?.value)} ${node.qualifier?.name ?? ALL}`];
      default:
        return [];
    }
  });
}

const TYPES = ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'];

function exportsIn(nodes: Node[], path: string): Export[] {
  return nodes
    .filter(({ type }) => type === 'ExportNamedDeclaration')
    .flatMap(({ declaration, specifiers = [], exportKind }) => {
      const kind = exportKind === 'type' || TYPES.includes(declaration?.type ?? '') ? 'type' : 'value';
      const declared = (declaration?.declarations ?? [declaration]).map((one) => one?.id?.name);
      const renamed = specifiers.map(({ exported }) => exported?.name);
      return [...declared, ...renamed]
        .filter((name) => name !== undefined)
        .map((name): Export => ({ path, name, kind }));
    });
}
