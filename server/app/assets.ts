/** What the app's files are, whether they are bundled on demand or were when the package was built. */

import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Language } from './page/words/languages.js';

export interface Asset {
  /** The path of its address, such as `/icon.svg`. */
  readonly path: string;
  readonly type: string;
  /** Of a page that there is in several languages at one address. */
  readonly language?: Language;
  /**
   * - `hashed`: its name changes with its content, so a browser keeps it for good.
   * - `fixed`: its address stays, so a browser asks each time whether it is still the same.
   * - `written`: the same, and the server puts something in place of the {@link MARKS} in it.
   */
  readonly kind: 'hashed' | 'fixed' | 'written';
  readonly body: Buffer;
  /** Smaller copies of the body that exist already. */
  readonly compressed?: Readonly<Record<Compression, Buffer>>;
}

/** In a page stands the region, and in the service worker a digest of all other files of the app. */
export const MARKS = { region: '{{region}}', digest: '{{digest}}' };

export const WORKER_PATH = '/service-worker.js';

/** Files of this folder that are served unchanged: path, type and file. */
export const COPIED = [
  ['/manifest.webmanifest', 'application/manifest+json', 'manifest.webmanifest'],
  ['/icon.svg', 'image/svg+xml', 'icons/icon.svg'],
  ['/icon-192.png', 'image/png', 'icons/icon-192.png'],
  ['/icon-maskable.png', 'image/png', 'icons/maskable-512.png'],
] as const;

export type PageName = 'app' | 'console';

/** The pages, the files in this folder that they are made of, and the routes of all that belongs to them. */
export const PAGES = {
  app: {
    path: '/',
    html: 'page/index.html',
    script: 'page/main.tsx',
    style: 'page/style/main.css',
    early: 'page/client/early.ts',
    /** Of the files whose names change with their content. */
    folder: '/assets/',
    routes: ['/', '/assets/:file', WORKER_PATH, ...COPIED.map(([path]) => path)],
  },
  console: {
    path: '/console',
    html: 'console/index.html',
    script: 'console/main.tsx',
    style: 'console/style.css',
    early: undefined,
    folder: '/console/',
    routes: ['/console', '/console/:file'],
  },
} as const;

export type Compression = 'br' | 'gzip';

/** Resolves with a smaller copy. @param quality of Brotli, from 0 to 11 */
export function compress(body: Buffer, compression: Compression, quality: number): Promise<Buffer> {
  if (compression === 'gzip') return promisify(gzip)(body);
  return promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
}

/** The other files are compressed as they are. */
export const isCompressible = ({ type }: Pick<Asset, 'type'>): boolean => type !== 'image/png';
