import { isUtf8 } from 'node:buffer';
import {
  type DocumentRequest,
  faultInData,
  isObject,
  type Json,
  type JsonObject,
} from '../../shared/document.js';
import { InvalidRequest } from './errors.js';

/**
 * The request that a put or a patch carries: `{"version"?: n, "data": {…}}`. Other keys are ignored.
 * @throws InvalidRequest for anything else, saying what is wrong
 */
export function parseRequest(body: Uint8Array): DocumentRequest {
  const request = parseObject(body);
  return { version: versionOf(request.version), data: dataOf(request.data) };
}

/** A body that must be one JSON object. @throws InvalidRequest */
export function parseObject(body: Uint8Array): JsonObject {
  const value = parseJson(body);
  if (!isObject(value)) throw new InvalidRequest('body', 'format', 'body is not a JSON object');
  return value;
}

function parseJson(body: Uint8Array): unknown {
  if (!isUtf8(body)) throw new InvalidRequest('body', 'format', 'body is not UTF-8');
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidRequest('body', 'format', 'body is not JSON');
  }
}

function versionOf(version: Json | undefined): number {
  if (version === undefined) return 0;
  if (Number.isSafeInteger(version) && (version as number) >= 0) return version as number;
  throw new InvalidRequest('version', 'format', 'version is not a non-negative integer');
}

function dataOf(data: Json | undefined) {
  if (data === undefined) throw new InvalidRequest('data', 'required', 'data is missing');
  if (!isObject(data)) throw new InvalidRequest('data', 'format', 'data is not a JSON object');
  const fault = faultInData(data);
  if (fault !== undefined) throw new InvalidRequest('data', 'constraint', `data: ${fault}`);
  return data;
}
