/** Readers of a twin's events, as apps have them. */

import { createParser } from 'eventsource-parser';
import { BASE, startTestRest, type TestLimits, type TestRest } from './rest.js';

export interface Told {
  event: string;
  id: string;
  // biome-ignore lint/suspicious/noExplicitAny: what an event holds is what the tests look at
  data: any;
}

export interface ReadOptions {
  token?: string;
  lastEventId?: string;
}

export class EventReader {
  readonly status: number;
  readonly headers: Headers;
  /** Resolves when the server has ended the stream: whether it was ended as it should be, and not cut off. */
  readonly ended: Promise<boolean>;
  comments = 0;
  readonly #told: Told[] = [];
  readonly #connection: AbortController;
  #wake: () => void = () => undefined;

  private constructor(response: Response, connection: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#connection = connection;
    this.ended = this.#read(response);
  }

  /** Of the twin at this path, by the owner unless another token is given. */
  static async open(
    rest: Pick<TestRest, 'url' | 'token'>,
    twin: string,
    options: ReadOptions = {},
  ): Promise<EventReader> {
    const connection = new AbortController();
    const headers: Record<string, string> = { 'X-Auth-Token': options.token ?? rest.token };
    if (options.lastEventId !== undefined) headers['Last-Event-ID'] = options.lastEventId;
    const url = `${rest.url}${BASE}${twin}/events`;
    return new EventReader(await fetch(url, { headers, signal: connection.signal }), connection);
  }

  /** The next event. */
  async next(): Promise<Told> {
    for (;;) {
      const told = this.#told.shift();
      if (told !== undefined) return told;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  async take(count: number): Promise<Told[]> {
    const events: Told[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }

  /** The whole present state, up to the presence, which is its end. */
  async state(): Promise<Told[]> {
    const events = [await this.next()];
    while (events.at(-1)?.event !== 'presence') events.push(await this.next());
    return events;
  }

  close(): void {
    this.#connection.abort();
  }

  async #read(response: Response): Promise<boolean> {
    const parser = createParser({
      onEvent: ({ event = 'message', id = '', data }) => {
        this.#told.push({ event, id, data: JSON.parse(data) });
        this.#wake();
      },
      onComment: () => {
        this.comments += 1;
      },
    });
    const text = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) parser.feed(text.decode(chunk, { stream: true }));
      return true;
    } catch {
      return false;
    }
  }
}

export interface EventContext {
  rest: TestRest;
  id: string;
  twin: string;
  put: (name: string, data?: object) => Promise<number>;
  follow: (options?: ReadOptions) => Promise<EventReader>;
}

/** A server with one device. */
export async function begin(context: EventContext, limits: Partial<TestLimits> = {}): Promise<void> {
  // An aborted fetch leaves a connection behind that has asked for nothing.
  context.rest = await startTestRest({ stopMs: 50, ...limits });
  const { rest } = context;
  context.id = (await rest.newDevice()).id;
  context.twin = `/twins/${context.id}`;
  const { twin } = context;
  context.put = async (name, data = {}) =>
    (await rest.ask('PUT', `${twin}/documents/${name}`, { body: { data } })).body.version;
  context.follow = (options) => EventReader.open(rest, twin, options);
}

/** The same with other limits. */
export const restartWith = async (context: EventContext, limits: Partial<TestLimits>): Promise<void> => {
  await context.rest.close();
  await begin(context, limits);
};

/** An event in a few words. */
export const brief = ({ event, data }: Told): string =>
  [event, data.document_name, data.version, data.is_connected].filter((word) => word !== undefined).join(' ');
