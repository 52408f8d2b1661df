/** Serves the app's files from memory. They are few, and are made at the first request for one of them. */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { memo, once } from '../memo.js';
import type { Asset } from './bundle.js';
import { pageHeaders } from './page-headers.js';
import { APP_PATHS, CONSOLE_PATHS } from './paths.js';

/** Each higher quality takes several times as long and saves a hundredth of the size. */
const BROTLI_QUALITY = 9;

const ENCODERS = {
  br: (body: Buffer) =>
    promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: (body: Buffer) => promisify(gzip)(body),
  identity: async (body: Buffer) => body,
};

type Encoding = keyof typeof ENCODERS;

/** A file that needs no token, because it holds no data. */
interface PublicFile {
  readonly path: string;
  /** Resolves with the bytes of the answer's body. */
  readonly answer: (req: IncomingMessage, res: ServerResponse) => Promise<number>;
}

/** The app at `/` and the console at `/console`. They are made apart, because few people open the console. */
export function appFiles(region: string): PublicFile[] {
  // The bundler is loaded at the first request, so that the start does not wait for it.
  return [
    ...filesAt(APP_PATHS, async () => (await import('./bundle.js')).bundleApp(region)),
    ...filesAt(CONSOLE_PATHS, async () => (await import('./bundle.js')).bundleConsole(region)),
  ];
}

function filesAt(paths: readonly string[], make: () => Promise<Asset[]>): PublicFile[] {
  const files = once(async () => {
    const made = new Map((await make()).map((asset) => [asset.path, new File(asset)]));
    const lacking = paths.find((path) => !made.has(path));
    if (lacking !== undefined) throw new Error(`the bundle lacks ${lacking}`);
    return made;
  });
  return paths.map((path) => ({
    path,
    answer: async (req, res) => (await files()).get(path)?.answer(req, res) ?? 0,
  }));
}

class File {
  readonly #asset: Asset;
  readonly #digest: string;
  readonly #encoded = memo((encoding: Encoding) => ENCODERS[encoding](this.#asset.body), new Map());

  constructor(asset: Asset) {
    this.#asset = asset;
    this.#digest = createHash('sha256').update(asset.body).digest('base64url').slice(0, 22);
  }

  async answer(req: IncomingMessage, res: ServerResponse): Promise<number> {
    const encoding = encodingFor(req, this.#asset.type);
    const body = await this.#encoded(encoding);
    // The bytes behind the request may have been no HTTP. Then the answer has said so already.
    if (res.headersSent) return 0;
    const etag = `"${this.#digest}-${encoding}"`;
    pageHeaders(req, res, () => undefined);
    res.setHeader('ETag', etag);
    // The browser asks each time, and mostly gets a 304. A new version of the server has a new app.
    res.setHeader('Cache-Control', 'no-cache');
    res.appendHeader('Vary', 'Accept-Encoding');
    if (req.headers['if-none-match'] === etag) {
      res.writeHead(304).end();
      return 0;
    }
    if (encoding !== 'identity') res.setHeader('Content-Encoding', encoding);
    res.writeHead(200, { 'Content-Type': this.#asset.type, 'Content-Length': body.length }).end(body);
    return body.length;
  }
}

function encodingFor({ headers }: IncomingMessage, type: string): Encoding {
  if (type === 'image/png') return 'identity';
  const accepted = String(headers['accept-encoding'] ?? '').split(/\s*,\s*/);
  return accepted.includes('br') ? 'br' : accepted.includes('gzip') ? 'gzip' : 'identity';
}
