/** What the panel and the server say to each other, as bytes and as what the panel needs of it. */

import { isDesiredDocument, type RefusalReason } from '../shared/panel.js';
import type { Order } from './alarm.js';
import type { DocumentId } from './desired.js';
import { LONGEST_PAYLOAD } from './incoming.js';

declare global {
  /** XS has these built in, instead of `TextEncoder` and `TextDecoder`. */
  interface ArrayBufferConstructor {
    fromString(text: string): ArrayBuffer;
  }
  interface StringConstructor {
    /** May throw when the bytes are no UTF-8. */
    fromArrayBuffer(bytes: ArrayBufferLike): string;
  }
}

/** A document is nested up to 32 levels below its frame; the parser of XS takes native stack for each. */
const DEPTH = 40;
/** `{` and `}`; the brackets of arrays are these without the bit 0x20. */
const OPENING = 0x7b;
const CLOSING = 0x7d;
/** Of a message, up to its data. */
const HEAD_LENGTH = 128;
/** In seconds. */
const LONGEST_DELAY = 300;
/** In characters. */
const LONGEST_REQUEST = 64;

/** A `desired` document. A key that is not valid is undefined; a delay that is not there is 0. */
export interface Wish extends Omit<Order, 'isAct' | 'isNew'> {
  readonly id: DocumentId;
  readonly request?: string | undefined;
}

const isDelay = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY;

/** The keys that may be absent, and what they may be. */
const IS_VALID: { [key: string]: (value: unknown) => boolean } = {
  mode: (value) => value === 'away' || value === 'home' || value === 'night',
  exit_delay: isDelay,
  entry_delay: isDelay,
  bypass: Array.isArray,
  request: (value) => typeof value === 'string' && value.length <= LONGEST_REQUEST,
};

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

/** The `desired` document in an answer or a push, or why it cannot be taken over. */
export function parseDesired(payload: ArrayBuffer): Wish | Refusal {
  if (payload.byteLength > LONGEST_PAYLOAD) return refusal('too long', versionIn(payload));
  const frame = parseFrame(payload);
  if (frame === undefined) return refusal('not a JSON object');
  const version = frame.version ?? 0;
  if (!Number.isSafeInteger(version) || (version as number) < 0) return refusal('bad version');
  if (!isDesiredDocument(frame.data))
    return refusal('not a boolean', (version as number) || undefined, 'alarm_armed');
  const id = { created: timeOf(frame.created_at), version, updated: timeOf(frame.updated_at) };
  const wish: { [key: string]: unknown } = {
    exit_delay: 0,
    entry_delay: 0,
    ...frame.data,
    id,
    bad: undefined,
  };
  Object.keys(IS_VALID).forEach((key) => {
    const value = wish[key] ?? undefined;
    if (value === undefined || IS_VALID[key]?.(value)) return;
    wish.bad ??= key;
    wish[key] = undefined;
  });
  return wish as unknown as Wish;
}

/** In milliseconds since 1970; 0 for a text that is not a date. */
const timeOf = (date: unknown): number => Date.parse(String(date)) || 0;

/** The version in the first bytes of a message, which has it before the data. */
const versionIn = (payload: ArrayBuffer): number | undefined =>
  Number(
    /"version":(\d+)/.exec(
      String.fromCharCode.apply(null, new Uint8Array(payload, 0, HEAD_LENGTH) as unknown as number[]),
    )?.[1],
  ) || undefined;

/** The text of an error. */
export function parseError(payload: ArrayBuffer): string {
  const error = parseFrame(payload)?.error;
  return typeof error === 'string' ? error : 'no reason given';
}

function parseFrame(payload: ArrayBuffer): Frame | undefined {
  try {
    if (isDeep(new Uint8Array(payload))) return undefined;
    const value: unknown = JSON.parse(String.fromArrayBuffer(payload));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Brackets within strings count too; no honest document for a panel has nearly so many. XS reads bytes faster than text. */
function isDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  for (let index = 0; index < bytes.length; index++) {
    const character = (bytes[index] as number) | 0x20;
    if (character === OPENING) depth += 1;
    else if (character === CLOSING) depth -= 1;
    if (depth > DEPTH) return true;
  }
  return false;
}
