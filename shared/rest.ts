/** What the REST interface and its clients agree on: paths and the form of an error. */

import { isObject } from './document.js';

export const API_ROOT = '/iot/v1/regions';
/** The region of a server that was told no other. */
export const DEFAULT_REGION = 'fr-par';
/** Carries the token of a request. */
export const TOKEN_HEADER = 'X-Auth-Token';

/** @param origin `http://host:port`, with or without a slash at its end; empty for a page's own server */
export const apiBase = (origin: string, region: string): string =>
  `${origin.replace(/\/+$/, '')}${API_ROOT}/${encodeURIComponent(region)}`;

/**
 * The path that these segments make below {@link apiBase}.
 * @throws RangeError for a segment that a URL cannot carry: it would lead elsewhere
 */
export function pathOf(...segments: string[]): string {
  const unfit = segments.find((segment) => /^\.{0,2}$/.test(segment));
  if (unfit !== undefined) throw new RangeError(`"${unfit}" is not a name`);
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

export const documentPath = (twinId: string, name: string): string =>
  pathOf('twins', twinId, 'documents', name);

/** What an error's body says; every field may be missing. */
export interface RestError {
  readonly type?: string;
  readonly message?: string;
  readonly help_message?: string;
  readonly reason?: string;
  readonly resource?: string;
  readonly resource_id?: string;
  readonly reset_seconds?: number;
  readonly expected_version?: number;
  readonly actual_version?: number;
  /** The first of its `details`. */
  readonly detail?: {
    readonly argument_name?: string;
    readonly help_message?: string;
    readonly resource?: string;
    readonly action?: string;
  };
}

const TEXTS = [
  'type',
  'message',
  'help_message',
  'reason',
  'resource',
  'resource_id',
  'argument_name',
  'action',
];
const NUMBERS = ['reset_seconds', 'expected_version', 'actual_version'];

/** Reads an error's body as far as it has the form of one. */
export function restErrorOf(body: unknown): RestError {
  if (!isObject(body)) return {};
  const [detail] = Array.isArray(body.details) ? body.details : [];
  return { ...knownFields(body), ...(isObject(detail) && { detail: knownFields(detail) }) };
}

const knownFields = (object: object): object =>
  Object.fromEntries(
    Object.entries(object).filter(
      ([key, value]) =>
        (typeof value === 'string' && TEXTS.includes(key)) ||
        (typeof value === 'number' && NUMBERS.includes(key)),
    ),
  );

const AUTHENTICATION: Record<string, string> = {
  invalid_argument: 'no token, or not a UUID: give --token, or set TWIN_TOKEN',
  not_found: 'the server does not know this token',
  expired: 'the token has expired',
};

/** An error in the words of the person at the terminal. */
export function refusalText(status: number, error: RestError): string {
  const { type, message = `status ${status}`, detail = {} } = error;
  switch (type) {
    case 'denied_authentication':
      return AUTHENTICATION[error.reason ?? ''] ?? message;
    case 'permissions_denied':
      return `this token may not ${detail.action} ${detail.resource}`;
    case 'too_many_requests':
      return `${error.help_message}: try again in ${error.reset_seconds} s`;
    case 'not_found':
      return `no such ${error.resource?.replaceAll('_', ' ')}: ${error.resource_id}`;
    case 'invalid_arguments':
      return error.actual_version === undefined
        ? named(detail.argument_name ?? '', detail.help_message ?? message)
        : `the document has version ${error.actual_version}, not ${error.expected_version}`;
    default:
      return message;
  }
}

const named = (argument: string, text: string): string =>
  argument === '' || text.startsWith(argument) ? text : `${argument}: ${text}`;
