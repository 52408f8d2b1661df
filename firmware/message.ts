/** What the panel and the server say to each other, as bytes and as what the panel needs of it. */

import { isDesiredDocument } from '../shared/panel.js';

/** XS has these built in, instead of `TextEncoder` and `TextDecoder`. */
const toBytes = ArrayBuffer as unknown as { fromString(text: string): ArrayBuffer };
const toText = String as unknown as { fromArrayBuffer(bytes: ArrayBuffer): string };

/** A document is nested up to 32 levels below its frame; the parser of XS takes native stack for each. */
const DEPTH = 40;

export interface Desired {
  armed: boolean;
  /** Absent when the server counts none. */
  version: number | undefined;
}

interface Frame {
  data?: unknown;
  version?: unknown;
  error?: unknown;
}

export const encode = (text: string): ArrayBuffer => toBytes.fromString(text);

/** The `desired` document in an answer or a push, or why it is none. */
export function parseDesired(payload: ArrayBuffer): Desired | string {
  const frame = parseFrame(payload);
  if (frame === undefined) return 'not a JSON object';
  const data = frame.data;
  const version = frame.version;
  if (!isDesiredDocument(data)) return 'no boolean alarm_armed';
  if (version !== undefined && !isVersion(version)) return 'bad version';
  return { armed: data.alarm_armed, version };
}

/** The text of an error. */
export function parseError(payload: ArrayBuffer): string {
  const error = parseFrame(payload)?.error;
  return typeof error === 'string' ? error : 'no reason given';
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

function parseFrame(payload: ArrayBuffer): Frame | undefined {
  try {
    const text = toText.fromArrayBuffer(payload);
    if (isDeep(text)) return undefined;
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Brackets within strings count too, which no honest document of a panel comes near. */
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
