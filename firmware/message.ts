/** What the panel and the server say to each other, as bytes and as what the panel needs of it. */

import { isDesiredDocument, type Mode, type RefusalReason } from '../shared/panel.js';
import type { DocumentId } from './desired.js';
import { LONGEST_PAYLOAD } from './incoming.js';

/** XS has these built in, instead of `TextEncoder` and `TextDecoder`. */
const toBytes = ArrayBuffer as unknown as { fromString(text: string): ArrayBuffer };
const toText = String as unknown as { fromArrayBuffer(bytes: ArrayBuffer): string };

/** A document is nested up to 32 levels below its frame; the parser of XS takes native stack for each. */
const DEPTH = 40;
/** Of a message, up to its data. */
const HEAD_LENGTH = 128;
/** In seconds. */
const LONGEST_DELAY = 300;
/** In characters. */
const LONGEST_REQUEST = 64;

/** What a `desired` document asks for. A key that is not valid, or is not there, is undefined; a delay that is not there is 0. */
export interface Wish {
  armed: boolean;
  id: DocumentId;
  mode: Mode | undefined;
  /** Seconds. */
  exitDelay: number | undefined;
  entryDelay: number | undefined;
  bypass: string[] | undefined;
  request: string | undefined;
  /** The first key that is not valid. */
  bad: string | undefined;
}

const isMode = (value: unknown): boolean => value === 'away' || value === 'home' || value === 'night';
const isDelay = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY;
const isRequest = (value: unknown): boolean => typeof value === 'string' && value.length <= LONGEST_REQUEST;

/** Why a `desired` document is not taken over, as `current` says it. */
export interface Refusal {
  refused: { reason: RefusalReason; key: string | undefined };
  /** The version of the document; undefined when it could not be read. */
  handled: number | undefined;
}

export const refusal = (reason: RefusalReason, handled?: number, key?: string): Refusal => ({
  refused: { reason, key },
  handled,
});

interface Frame {
  data?: unknown;
  version?: unknown;
  created_at?: unknown;
  updated_at?: unknown;
  error?: unknown;
}

export const encode = (text: string): ArrayBuffer => toBytes.fromString(text);

/** May throw when the bytes are no UTF-8. */
export const decode = (bytes: ArrayBuffer): string => toText.fromArrayBuffer(bytes);

/** The `desired` document in an answer or a push, or why it cannot be taken over. */
export function parseDesired(payload: ArrayBuffer): Wish | Refusal {
  if (payload.byteLength > LONGEST_PAYLOAD) return refusal('too long', versionIn(payload));
  const frame = parseFrame(payload);
  if (frame === undefined) return refusal('not a JSON object');
  const data = frame.data;
  const version = frame.version ?? 0;
  if (!isVersion(version)) return refusal('bad version');
  if (!isDesiredDocument(data)) return refusal('not a boolean', version || undefined, 'alarm_armed');
  const id = { created: timeOf(frame.created_at), version, updated: timeOf(frame.updated_at) };
  let bad: string | undefined;
  const take = (key: string, isValid: (value: unknown) => boolean, absent?: number): unknown => {
    const value = (data as unknown as Record<string, unknown>)[key] ?? absent;
    if (value === undefined || isValid(value)) return value;
    bad ??= key;
    return undefined;
  };
  return {
    armed: data.alarm_armed,
    id,
    mode: take('mode', isMode) as Mode | undefined,
    exitDelay: take('exit_delay', isDelay, 0) as number | undefined,
    entryDelay: take('entry_delay', isDelay, 0) as number | undefined,
    bypass: take('bypass', Array.isArray) as string[] | undefined,
    request: take('request', isRequest) as string | undefined,
    bad,
  };
}

/** In milliseconds since 1970; 0 for a text that is not a date. */
const timeOf = (date: unknown): number => Date.parse(String(date)) || 0;

/** The version in the first bytes of a message, which has it before the data. */
function versionIn(payload: ArrayBuffer): number | undefined {
  try {
    return Number(/"version":(\d+)/.exec(decode(payload.slice(0, HEAD_LENGTH)))?.[1]) || undefined;
  } catch {
    // A character of the data is cut in two.
    return undefined;
  }
}

/** The text of an error. */
export function parseError(payload: ArrayBuffer): string {
  const error = parseFrame(payload)?.error;
  return typeof error === 'string' ? error : 'no reason given';
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function parseFrame(payload: ArrayBuffer): Frame | undefined {
  try {
    const text = decode(payload);
    if (isDeep(text)) return undefined;
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Brackets within strings count too; no honest document for a panel has nearly so many. */
function isDeep(text: string): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > DEPTH) return true;
  }
  return false;
}
