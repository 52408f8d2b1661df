/** The twin's documents: their form, limits, version rule and merge patch. */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** A UUID in lower case, as the source of a regular expression. */
export const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const LOWER_CASE_UUID = new RegExp(`^${UUID}$`);
const ANY_UUID = new RegExp(LOWER_CASE_UUID, 'i');

/** Whether a text has the form of the id of a device and its twin: a UUID in lower case. */
export const isDeviceId = (text: string): boolean => LOWER_CASE_UUID.test(text);
/** Whether a text is a UUID in lower or upper case, as a token may be. */
export const isUuid = (text: string): boolean => ANY_UUID.test(text);

/**
 * A document as every interface shows it. Both times are RFC 3339 from the server's clock: `created_at` of the write that
 * made version 1, `updated_at` of the write that made this version.
 */
export interface TwinDocument {
  twin_id: string;
  document_name: string;
  version: number;
  data: JsonObject;
  created_at: string;
  updated_at: string;
  /** The writer of this version: the description of its token, or its role. Absent where the device wrote it. */
  updated_by?: string;
}

/** What a put or a patch asks for. `version` 0 asks for no check. */
export interface DocumentRequest {
  version: number;
  data: JsonObject;
}

/** The bounds of one twin. Sizes in bytes of UTF-8, `data` as compact JSON. */
export const LIMITS = {
  nameLength: 64,
  dataBytes: 64 * 1024,
  depth: 32,
  documents: 64,
} as const;

const NAME = /^[-~0-9A-Za-z][-_.~0-9A-Za-z]*$/;

/** 1 to 64 of `-_.~0-9A-Za-z`, not starting with `.` or `_`, but `_config` is allowed. */
export const isDocumentName = (name: string): boolean =>
  name.length <= LIMITS.nameLength && (NAME.test(name) || name === '_config');

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A request's version agrees when it asks for no check (0) or equals the present one (0: no document). */
export const versionAgrees = (asked: number, present: number): boolean => asked === 0 || asked === present;

/**
 * Why a value cannot be a document's `data`, or undefined when it can: a forbidden key, a number that a double
 * would round, too deep. Its size is the caller's to judge.
 */
export function faultInData(value: Json, depth = 1): string | undefined {
  if (typeof value === 'number') {
    return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? undefined : 'number out of range ±(2^53 − 1)';
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > LIMITS.depth) return `nested deeper than ${LIMITS.depth} levels`;
  if (Array.isArray(value)) return faultInArray(value, depth + 1);
  if (Object.hasOwn(value, '__proto__')) return 'key __proto__ is forbidden';
  // Both loops make no objects, because a document may have 30,000 values.
  for (const key in value) {
    const fault = faultInData(value[key] as Json, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultInArray(values: Json[], depth: number): string | undefined {
  for (let index = 0; index < values.length; index++) {
    const fault = faultInData(values[index] as Json, depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** A patch's arrays replace whole and may not hold `null` at their top level. */
export function faultInPatch(patch: JsonObject): string | undefined {
  for (const value of Object.values(patch)) {
    if (Array.isArray(value) ? value.includes(null) : isObject(value) && faultInPatch(value) !== undefined) {
      return 'an array in a patch may not contain null';
    }
  }
  return undefined;
}

/**
 * Changes the target and returns it: the target's keys that the patch does not name stay, `null` removes, objects recurse,
 * all else replaces (RFC 7396). Both must have passed {@link faultInData}. A copy of a large document would cost as much
 * as reading it.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete target[key];
    else target[key] = isObject(value) ? mergePatch(ownObject(target, key), value) : value;
  }
  return target;
}

function ownObject(object: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return isObject(value) ? value : {};
}
