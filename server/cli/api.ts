import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
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
  /** The server may have done what it was asked to. */
  readonly wasSent: boolean;
  constructor(url: string, cause: unknown) {
    super(`no answer from ${url}: ${reasonOf(cause)}`, { cause });
    this.wasSent = AFTER_SENDING.has(codeOf(cause));
  }
}

/** How a connection ends that was there. */
const AFTER_SENDING = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? '';

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
    const response = await this.#send(method, path, {}, json);
    if (!isSuccess(response)) throw await this.#refusal(response);
    return this.#read(response);
  };

  /**
   * Server-Sent Events as they come, until the server ends them.
   * @param lastEventId the id of the last event that is known
   * @throws Refused; Unreachable also where the connection is lost
   */
  async *events(path: string, lastEventId: string): AsyncGenerator<EventSourceMessage> {
    const response = await this.#send('GET', path, { 'Last-Event-ID': lastEventId });
    if (!isSuccess(response)) throw await this.#refusal(response);
    const events: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (event) => events.push(event) });
    response.setEncoding('utf8');
    try {
      for await (const part of response) {
        parser.feed(part);
        yield* events.splice(0);
      }
    } catch (error) {
      throw new Unreachable(this.#access.url, error);
    }
  }

  /** By Node's own client: `fetch` takes a tenth of a second to be loaded, a third of the time of a command. */
  async #send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<IncomingMessage> {
    const { url, token, region } = this.#access;
    try {
      const address = new URL(apiBase(url, region) + path);
      const { request } = await import(address.protocol === 'https:' ? 'node:https' : 'node:http');
      const asked = request(address, { method, headers: { [TOKEN_HEADER]: token, ...headers } });
      // An error behind the response also ends the response, where it is heard.
      asked.on('error', () => undefined);
      const [response] = await once(asked.end(body), 'response');
      return response;
    } catch (error) {
      throw new Unreachable(url, error);
    }
  }

  async #read(response: IncomingMessage): Promise<unknown> {
    try {
      const json = await text(response);
      return json === '' ? undefined : parse(json);
    } catch (error) {
      throw new Unreachable(this.#access.url, error);
    }
  }

  async #refusal(response: IncomingMessage): Promise<Refused> {
    return new Refused(response.statusCode ?? 0, restErrorOf(await this.#read(response)));
  }
}

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300;

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
  const code = codeOf(error);
  if (UNTRUSTED.has(code)) return 'its authority is not trusted: set NODE_EXTRA_CA_CERTS to its ca.crt';
  // Where a name has several addresses, the error of all of them has no message.
  return error.message === '' ? code : error.message;
}
