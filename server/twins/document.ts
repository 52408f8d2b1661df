/** A twin's document, and the request that writes it. */

import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import {
  type DocumentRequest,
  faultInData,
  isObject,
  type Json,
  type JsonObject,
} from '../../shared/document.js';
import type { Birth, StoredDocument } from '../storage/storage.js';
import { readCompact } from './compact.js';
import { InvalidRequest, PreconditionFailed } from './errors.js';

const TAG_BYTES = 6;

const newBirth = (createdAt: string): Birth => ({
  createdAt,
  tag: randomBytes(TAG_BYTES).toString('hex'),
});

/**
 * A document's birth as it is shown. A server before version 0.2 stored none. Such a document counts as created when
 * that server last wrote it, and the next write stores this time.
 */
export const bornOf = ({ born, updatedAt }: StoredDocument): Birth =>
  born ?? { createdAt: updatedAt, tag: '0' };

/** The birth that the next version carries. @param now RFC 3339 */
export function birthAfter(present: StoredDocument | undefined, now: string): Birth {
  if (present === undefined) return newBirth(now);
  return present.born ?? newBirth(present.updatedAt);
}

/** One document of one twin. The object never changes and is stored as it is. */
export class Document implements StoredDocument {
  #json: string | undefined;

  /**
   * @param updatedAt RFC 3339, the server's clock at the accepted write
   * @param updatedBy the writer of this version; absent where a device wrote it
   * @param data the content as compact JSON
   */
  constructor(
    readonly twinId: string,
    readonly name: string,
    readonly version: number,
    readonly updatedAt: string,
    readonly data: string,
    readonly born: Birth,
    readonly updatedBy?: string | undefined,
  ) {}

  /** The document as every interface shows it: a TwinDocument of `shared/document.ts` as compact JSON. */
  get json(): string {
    this.#json ??= this.#encode();
    return this.#json;
  }

  #encode(): string {
    const by = this.updatedBy === undefined ? '' : `,"updated_by":${JSON.stringify(this.updatedBy)}`;
    return `{"twin_id":"${this.twinId}","document_name":"${this.name}","version":${this.version},"data":${this.data},"created_at":"${this.born.createdAt}","updated_at":"${this.updatedAt}"${by}}`;
  }
}

// Only for documents from disk. Those that were put are instances of Document already.
const loaded = new WeakMap<StoredDocument, Document>();

/** A stored document of a twin, as a Document. */
export function documentOf(twinId: string, name: string, stored: StoredDocument): Document {
  if (stored instanceof Document) return stored;
  const known = loaded.get(stored);
  if (known !== undefined) return known;
  const document = pastDocument(twinId, name, stored, bornOf(stored));
  loaded.set(stored, document);
  return document;
}

/** A past version of a document. @param born that of the present version */
export const pastDocument = (
  twinId: string,
  name: string,
  { version, updatedAt, updatedBy, data }: StoredDocument,
  born: Birth,
): Document => new Document(twinId, name, version, updatedAt, data, born, updatedBy);

/**
 * A condition on the present document, which is undefined when there is none. Returns the name of the condition that
 * does not hold, in the words of the interface that made the request. Returns undefined when the request may go on.
 */
export type Precondition = (present: StoredDocument | undefined) => string | undefined;

/**
 * What a put and a patch have in common. The precondition is checked before `version`, in the turn in which the change is
 * decided.
 */
export interface Conditions {
  readonly precondition?: Precondition | undefined;
  /** The writer, as a person knows them. Absent for a device. */
  readonly by?: string | undefined;
  /** Hears the work of the change, in the unit of `work.ts`, in the turn in which it is done. */
  readonly spend?: ((work: number) => void) | undefined;
}

/** A patch, or a put. */
export type ConditionalRequest = Conditions & DocumentRequest;

/** A put. Its data may be the text that `JSON.stringify` would make of it. */
export type PutRequest = Conditions &
  Pick<DocumentRequest, 'version'> & { readonly data: JsonObject | string };

/** @throws PreconditionFailed */
export function checkPrecondition(
  precondition: Precondition | undefined,
  present: StoredDocument | undefined,
): void {
  const failed = precondition?.(present);
  if (failed !== undefined) throw new PreconditionFailed(failed, present?.version ?? 0);
}

/**
 * Reads the request of a put or a patch: `{"version"?: n, "data": {…}}`. Other keys are ignored.
 * @throws InvalidRequest for any other text, with what is wrong with it
 */
export function parseRequest(body: Uint8Array): DocumentRequest & { readonly pin?: string } {
  const request = parseObject(body);
  const { pin } = request;
  return {
    version: versionOf(request.version),
    data: dataOf(request.data),
    ...(typeof pin === 'string' && { pin }),
  };
}

/** Reads the request of a put, and gives its data as text where that takes less. @throws InvalidRequest */
export const parsePut = (body: Buffer): Pick<PutRequest, 'version' | 'data'> =>
  readCompact(body) ?? parseRequest(body);

/** Reads a body that must be one JSON object. @throws InvalidRequest */
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
  if (version === undefined || version === null) return 0;
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
