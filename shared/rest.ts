/** What the REST interface and its clients agree on: paths, the form of an error, and the calls that several clients make. */

import { isObject, type Json, type TwinDocument } from './document.js';
import { DESIRED, type Mode } from './panel.js';

export const API_ROOT = '/iot/v1/regions';
/** Where a server is that has no other setting. */
export const DEFAULT_URL = 'http://127.0.0.1:8080';
/** The region of a server that has no other setting. */
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

const PANELS_PER_PAGE = 20;

/** All that the app's first screen shows, in one answer. @param page from 1 */
export const overviewPath = (page: number): string =>
  `${pathOf('overview')}?page=${page}&page_size=${PANELS_PER_PAGE}`;

/**
 * What an owner should know of a server that works. `one_disk`: only one disk has what it acknowledges. `clock_off`: its
 * machine's clock is not the database's.
 */
export type ServerWarning = 'one_disk' | 'clock_off';

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

/**
 * One call of a client, to a path below {@link apiBase}. Resolves with the answer, parsed. Rejects with the client's own
 * error when the server refuses or does not answer.
 */
export type Ask = (method: string, path: string, body?: object) => Promise<unknown>;

const DEVICES_PER_PAGE = 100;

/** All devices, in the order of their creation. */
export async function allDevices<Device>(ask: Ask): Promise<Device[]> {
  const devices: Device[] = [];
  for (let page = 1; ; page += 1) {
    const answer = await ask('GET', `${pathOf('devices')}?page=${page}&page_size=${DEVICES_PER_PAGE}`);
    const some = (answer as { devices: Device[] }).devices;
    devices.push(...some);
    if (some.length < DEVICES_PER_PAGE) return devices;
  }
}

/** The one hub that the server is. */
interface Hub {
  readonly id: string;
  /** Where devices connect, host:port. */
  readonly endpoint: string;
  /** Where the app is, the address first that a phone should use. */
  readonly app_urls: readonly string[];
}

/** @throws Error when the answer is not that of a server of this project */
export async function hubOf(ask: Ask): Promise<Hub> {
  const { hubs } = (await ask('GET', pathOf('hubs'))) as { hubs?: Hub[] };
  const [hub] = hubs ?? [];
  if (hub === undefined) throw new Error('the server has no hub');
  return hub;
}

/** The certificate of the server's authority, in PEM. */
export async function authorityOf(ask: Ask, hub: Pick<Hub, 'id'>): Promise<string> {
  return ((await ask('GET', `${pathOf('hubs', hub.id)}/ca`)) as { ca_cert_pem: string }).ca_cert_pem;
}

/** What a person orders by one press. */
export interface Order {
  readonly armed: boolean;
  /** `away` when absent. */
  readonly mode?: Mode;
  /** The names of the contacts that are left out. */
  readonly bypass?: readonly string[];
  /** The PIN of the token; a token that has one needs it to disarm. */
  readonly pin?: string;
}

/**
 * Orders the panel to arm or disarm: keeps the other keys of `desired`, and makes the document where there is none. Each
 * arming is a new act with a `request` of its own. It takes over neither the mode nor the bypass of an earlier one.
 * @param errorOf reads the server's answer in what `ask` rejected with
 * @param waitSeconds how long the server waits until the panel has followed, before it answers
 * @returns the document as it is now, with the outcome where the server waited
 */
export async function orderArmed(
  ask: Ask,
  deviceId: string,
  { armed, mode, bypass, pin }: Order,
  errorOf: (rejection: unknown) => RestError,
  waitSeconds?: number,
): Promise<TwinDocument & Partial<Outcome>> {
  const path = documentPath(deviceId, DESIRED) + (waitSeconds === undefined ? '' : `?wait=${waitSeconds}`);
  const act = { alarm_armed: armed, ...(armed && { request: requestId() }) };
  const chosen = { ...(mode && { mode }), ...(bypass && { bypass }) };
  const patch = armed ? { ...act, mode: null, bypass: null, ...chosen } : act;
  const proof = pin === undefined ? {} : { pin };
  const answer = ask('PATCH', path, { data: patch, ...proof }).catch((rejection) => {
    if (errorOf(rejection).resource !== 'twin_document') throw rejection;
    return ask('PUT', path, { data: { ...act, ...chosen }, ...proof });
  });
  return (await answer) as TwinDocument & Partial<Outcome>;
}

/** What the server says of a write that waited for the panel. What the panel says of itself is passed on as it is. */
export interface Outcome {
  /** Whether the panel has taken the write over. */
  readonly applied: boolean;
  /** The panel's `state`, where it has taken the write over and says one. */
  readonly state?: Json;
  /** Why it has not. */
  readonly refused?: Json;
  readonly fault?: Json;
}

/** Different for each press. It needs not be secret. */
const requestId = (): string => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
