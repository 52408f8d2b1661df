import type { EventSourceMessage } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { apiBase, type RestError, refusalText, restErrorOf, TOKEN_HEADER } from '../../shared/rest.js';

/** Where the server is, and by what right it is asked. */
export interface Access {
  url: string;
  token: string;
  region: string;
}

/** The server refused. The message is for the person at the terminal. */
export class Refused extends Error {
  override name = 'Refused';
  constructor(
    status: number,
    readonly error: RestError,
  ) {
    super(refusalText(status, error));
  }
}

/** There was no answer. */
export class Unreachable extends Error {
  override name = 'Unreachable';
  constructor(url: string, cause: unknown) {
    super(`no answer from ${url}: ${reasonOf(cause)}`, { cause });
  }
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
   * @param body is sent as JSON; a text is JSON already
   * @returns the answer, parsed; undefined when it has no body
   * @throws Refused, Unreachable
   */
  readonly call = async (method: string, path: string, body?: object | string): Promise<unknown> => {
    const json = typeof body === 'object' ? JSON.stringify(body) : body;
    const response = await this.#fetch(path, { method, body: json ?? null });
    if (!response.ok) throw await this.#refusal(response);
    return this.#read(response);
  };

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
    const headers = { [TOKEN_HEADER]: token, ...init.headers };
    try {
      return await fetch(apiBase(url, region) + path, { ...init, headers });
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
    return new Refused(response.status, restErrorOf(await this.#read(response)));
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: 'the answer is not JSON: is that the right server?' };
  }
}

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
