/** Serves the app's files from memory. They are few, and are made or read at the first request for one of them. */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { memo, once } from '../memo.js';
import {
  type Asset,
  type Compression,
  compress,
  isCompressible,
  MARKS,
  PAGES,
  type PageName,
} from './assets.js';
import { escaped } from './html.js';
import { languageOf } from './language.js';
import type { Language } from './page/words/languages.js';
import { pageHeaders } from './page-headers.js';

/**
 * Each higher quality takes several times as long. A page holds all that the first screen waits for, and is compressed once: a
 * quarter of a second makes it smaller by a twentieth.
 */
const BROTLI_QUALITY = { hashed: 9, fixed: 9, written: 10 };

const A_YEAR_SECONDS = 365 * 24 * 60 * 60;
const CACHE_CONTROL = {
  hashed: `public, max-age=${A_YEAR_SECONDS}, immutable`,
  // The browser asks each time, and mostly gets a 304. A new version of the server has a new app.
  fixed: 'no-cache',
  written: 'no-cache',
};

type Encoding = Compression | 'identity';

/** Files that need no token, because they hold no data. */
interface PublicFiles {
  /** The pattern of their paths. */
  readonly route: string;
  /** Resolves with the bytes of the answer's body, or with undefined where there is no such file. */
  readonly answer: (
    req: IncomingMessage & { readonly path: string },
    res: ServerResponse,
  ) => Promise<number | undefined>;
}

/** The app at `/` and the console at `/console`. They are made apart, because few people open the console. */
export const appFiles = (region: string): PublicFiles[] => [
  ...filesOf('app', region),
  ...filesOf('console', region),
];

function filesOf(name: PageName, region: string): PublicFiles[] {
  const files = once(async () => {
    // The bundler is loaded at the first request, so that the start does not wait for it.
    const { assetsOf } = await import('./bundle.js');
    const assets = written(await assetsOf(name), region);
    return new Map(assets.map((asset) => [keyOf(asset.path, asset.language), new File(asset)]));
  });
  return PAGES[name].routes.map((route) => ({
    route,
    answer: async (req, res) => {
      const made = await files();
      const file = made.get(req.path) ?? made.get(keyOf(req.path, languageOf(req)));
      return file?.answer(req, res);
    },
  }));
}

const keyOf = (path: string, language: Language | undefined): string =>
  language === undefined ? path : `${path} ${language}`;

/** The region may be any text. */
function written(assets: readonly Asset[], region: string): Asset[] {
  const put = (asset: Asset, mark: string, text: string): Asset =>
    asset.kind === 'written'
      ? { ...asset, body: Buffer.from(asset.body.toString().replaceAll(mark, () => text)) }
      : asset;
  const complete = assets.map((asset) => put(asset, MARKS.region, escaped(region)));
  const digest = createHash('sha256');
  for (const { body } of complete) digest.update(body);
  const text = digest.digest('hex').slice(0, 16);
  return complete.map((asset) => put(asset, MARKS.digest, text));
}

class File {
  readonly #asset: Asset;
  readonly #digest: string;
  readonly #setHeaders: ReturnType<typeof pageHeaders>;
  readonly #encoded: (encoding: Encoding) => Promise<Buffer>;

  constructor(asset: Asset) {
    const { body, compressed, kind, type } = asset;
    this.#asset = asset;
    this.#setHeaders = pageHeaders(type.startsWith('text/html') ? body.toString() : '');
    this.#digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    this.#encoded = memo(async (encoding: Encoding) => {
      if (encoding === 'identity') return body;
      return compressed?.[encoding] ?? compress(body, encoding, BROTLI_QUALITY[kind]);
    }, new Map());
  }

  async answer(req: IncomingMessage, res: ServerResponse): Promise<number> {
    const { type, kind, language } = this.#asset;
    const encoding = isCompressible(this.#asset) ? encodingFor(req) : 'identity';
    const body = await this.#encoded(encoding);
    // The bytes behind the request may have been no HTTP. Then the answer has said so already.
    if (res.headersSent) return 0;
    const etag = `"${this.#digest}-${encoding}"`;
    this.#setHeaders(req, res, () => undefined);
    res.setHeader('ETag', etag);
    res.setHeader('Cache-Control', CACHE_CONTROL[kind]);
    res.appendHeader(
      'Vary',
      language === undefined ? 'Accept-Encoding' : 'Accept-Encoding, Accept-Language, Cookie',
    );
    if (req.headers['if-none-match'] === etag) {
      res.writeHead(304).end();
      return 0;
    }
    if (encoding !== 'identity') res.setHeader('Content-Encoding', encoding);
    res.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length }).end(body);
    return body.length;
  }
}

function encodingFor({ headers }: IncomingMessage): Encoding {
  const accepted = String(headers['accept-encoding'] ?? '').split(/\s*,\s*/);
  return accepted.includes('br') ? 'br' : accepted.includes('gzip') ? 'gzip' : 'identity';
}
