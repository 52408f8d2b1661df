import {
  faultInData,
  faultInPatch,
  isObject,
  type Json,
  type JsonObject,
  LIMITS,
  mergePatch,
  versionAgrees,
} from '../../shared/document.js';

/** What a document must be. */
export interface Model {
  readonly version: number;
  readonly data: JsonObject;
}

export interface ModelRequest {
  readonly method: 'PUT' | 'PATCH';
  readonly body: Buffer;
}

// Bytes that are no UTF-8 are no text, and a byte order mark is part of it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a request makes of a document, or undefined where it must be refused. */
export function modelled(present: Model | undefined, { method, body }: ModelRequest): Model | undefined {
  const request = read(body);
  if (!isObject(request) || !isObject(request.data) || faultInData(request.data) !== undefined)
    return undefined;
  const version = request.version ?? 0;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0) return undefined;
  const { version: actual, data: before } = present ?? { version: 0, data: undefined };
  if (!versionAgrees(version, actual)) return undefined;
  if (method === 'PATCH' && (before === undefined || faultInPatch(request.data) !== undefined))
    return undefined;
  const data =
    method === 'PUT' || before === undefined
      ? request.data
      : mergePatch(structuredClone(before), request.data);
  if (Buffer.byteLength(JSON.stringify(data)) > LIMITS.dataBytes) return undefined;
  return { version: actual + 1, data };
}

function read(body: Buffer): Json {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    return null;
  }
}
