/** Parses the server's events of a panel. Pure. */

import { isObject, type Json, type JsonObject, type TwinDocument } from '../../../../shared/document.js';
import type { AppEvent } from './app.js';

/** The app's event for one of the server's; undefined for one that the app does not use. */
export function newsOf(
  id: string,
  kind: string | undefined,
  text: string,
  now: number,
): AppEvent | undefined {
  const data = parse(text);
  if (!isObject(data)) return undefined;
  switch (kind) {
    case 'twin':
      return { type: 'twin', id, names: namesIn(data.documents), now };
    case 'document':
      return isDocument(data) ? { type: 'document', id, document: data, now } : undefined;
    case 'document_deleted':
      return { type: 'document-deleted', id, name: String(data.document_name), now };
    case 'presence': {
      const at = typeof data.at === 'string' ? { at: Date.parse(data.at) } : {};
      return { type: 'presence', id, presence: { isConnected: data.is_connected === true, ...at }, now };
    }
    default:
      return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const namesIn = (documents: Json | undefined): string[] =>
  Array.isArray(documents)
    ? documents.map((document) => (isObject(document) ? String(document.document_name) : ''))
    : [];

const isDocument = (value: JsonObject): value is JsonObject & TwinDocument =>
  typeof value.document_name === 'string' &&
  typeof value.version === 'number' &&
  typeof value.updated_at === 'string' &&
  isObject(value.data);
