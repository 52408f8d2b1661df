import type { EventSourceMessage } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { UsageError } from './arguments.js';

/** Where the server is, and by what right it is asked. */
export interface Access {
  url: string;
  token: string;
  region: string;
}

interface ErrorBody {
  type?: string;
  message?: string;
  resource?: string;
  resource_id?: string;
  reason?: string;
  details?: { argument_name?: string; help_message?: string; resource?: string; action?: string }[];
  expected_version?: number;
  actual_version?: number;
  help_message?: string;
  reset_seconds?: number;
}

/** The server refused. The message is for the person at the terminal. */
export class Refused extends Error {
  override name = 'Refused';
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
  ) {
    super(explain(status, body));
  }
}

/** There was no answer. */
export class Unreachable extends Error {
  override name = 'Unreachable';
  constructor(url: string, cause: unknown) {
    super(`no answer from ${url}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * The path below the region that these segments make.
 * @throws UsageError for one that an address cannot carry: it would lead somewhere else
 */
export function pathOf(...segments: string[]): string {
  const odd = segments.find((segment) => /^\.{0,2}$/.test(segment));
  if (odd !== undefined) throw new UsageError(`"${odd}" is not a name`);
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

/** The REST interface; paths are those below the region. */
export class Api {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  get token(): string {
    return this.#access.token;
  }

  /**
   * @param json the body, as JSON
   * @returns the answer, parsed; undefined when it has no body
   * @throws Refused, Unreachable
   */
  async call(method: string, path: string, json?: string): Promise<unknown> {
    const response = await this.#fetch(path, { method, body: json ?? null });
    if (!response.ok) throw await this.#refusal(response);
    return this.#read(response);
  }

  /**
   * Server-Sent Events as they come, until the server ends them.
   * @param lastEventId the id of the last event that is known
   * @throws Refused; Unreachable also where the connection is lost
   */
  async *events(path: string, lastEventId: string): AsyncGenerator<EventSourceMessage> {
    const response = await this.#fetch(path, { headers: { 'Last-Event-ID': lastEventId } });
    if (!response.ok) throw await this.#refusal(response);
    try {
      yield* response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()) ??
        [];
    } catch (error) {
      throw new Unreachable(this.#access.url, error);
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const { url, token, region } = this.#access;
    const base = `${url.replace(/\/+$/, '')}/iot/v1/regions/${encodeURIComponent(region)}`;
    try {
      return await fetch(base + path, { ...init, headers: { 'X-Auth-Token': token, ...init.headers } });
    } catch (error) {
      throw new Unreachable(url, error);
    }
  }

  async #read(response: Response): Promise<unknown> {
    try {
      const text = await response.text();
      return text === '' ? undefined : parse(text);
    } catch (error) {
      throw new Unreachable(this.#access.url, error);
    }
  }

  async #refusal(response: Response): Promise<Refused> {
    return new Refused(response.status, ((await this.#read(response)) ?? {}) as ErrorBody);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: 'the answer is not JSON: is that the right server?' };
  }
}

const REASONS: Record<string, string> = {
  invalid_argument: 'no token, or not a UUID: give --token, or set TWIN_TOKEN',
  not_found: 'the server does not know this token',
  expired: 'the token has expired',
};

function explain(status: number, body: ErrorBody): string {
  const { type, message = `status ${status}`, details: [detail] = [] } = body;
  switch (type) {
    case 'denied_authentication':
      return REASONS[body.reason ?? ''] ?? message;
    case 'permissions_denied':
      return `this token may not ${detail?.action} ${detail?.resource}`;
    case 'too_many_requests':
      return `${body.help_message}: try again in ${body.reset_seconds} s`;
    case 'not_found':
      return `no such ${body.resource?.replace('_', ' ')}: ${body.resource_id}`;
    case 'invalid_arguments':
      return body.actual_version === undefined
        ? withName(detail?.argument_name ?? '', detail?.help_message ?? message)
        : `the document has version ${body.actual_version}, not ${body.expected_version}`;
    default:
      return message;
  }
}

const withName = (argument: string, text: string): string =>
  text.startsWith(argument) ? text : `${argument}: ${text}`;

const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What fetch throws says only that it failed.
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (UNTRUSTED.has(code)) return 'its authority is not trusted: set NODE_EXTRA_CA_CERTS to its ca.crt';
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
