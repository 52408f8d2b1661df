/** The server's REST interface, as far as the app needs it. */

import type { TwinDocument } from '../../../../shared/document.js';
import {
  type Ask,
  documentPath,
  type Order,
  orderArmed,
  overviewPath,
  pathOf,
  type RestError,
  restErrorOf,
  TOKEN_HEADER,
} from '../../../../shared/rest.js';
import type { Device } from '../../../devices/device.js';
import type { Role } from '../state/app.js';
import { type Fault, faultOf } from '../state/fault.js';
import { newPanel, type Panel, withDocument } from '../state/panel.js';
import { PAUSES } from './pauses.js';

const HISTORY_LIMIT = 1000;

/** The call failed, or it is not known whether it did. */
export class Failed extends Error {
  override name = 'Failed';
  constructor(
    readonly fault: Fault,
    /** What the server answered. */
    readonly answer: RestError = {},
  ) {
    super(fault);
  }
}

/** What the first screen shows. */
export interface Overview {
  readonly role: Role;
  /** It needs a PIN to disarm. */
  readonly hasPin: boolean;
  readonly panels: readonly Panel[];
}

interface OverviewPage {
  readonly token: { readonly role: Role; readonly has_pin: boolean };
  readonly total_count: number;
  readonly panels: readonly { readonly device: Device; readonly documents: readonly TwinDocument[] }[];
}

function panelIn({ device, documents }: OverviewPage['panels'][number]): Panel {
  const { id, name, is_connected, last_activity_at } = device;
  const at = last_activity_at === null ? {} : { at: Date.parse(last_activity_at) };
  return documents.reduce(withDocument, newPanel(id, name, { isConnected: is_connected, ...at }));
}

/** Every call may throw Failed. */
export class Api {
  /**
   * @param base `/iot/v1/regions/…`
   * @param early the answer to the first page of the overview, which was asked before the app was there
   * @param onClock gets the server's clock at each answer, in milliseconds since 1970
   */
  constructor(
    readonly base: string,
    readonly token: string,
    private readonly onClock: (serverNow: number) => void,
    private early?: Promise<Response>,
  ) {}

  /** What this phone may do, and all devices with their last reports, in the order of their names. */
  async overview(): Promise<Overview> {
    const panels: Panel[] = [];
    for (let page = 1; ; page += 1) {
      const answer = (await this.ask('GET', overviewPath(page))) as OverviewPage;
      panels.push(...answer.panels.map(panelIn));
      const { role, has_pin: hasPin } = answer.token;
      if (answer.panels.length > 0 && panels.length < answer.total_count) continue;
      return { role, hasPin, panels: panels.sort((one, other) => one.name.localeCompare(other.name)) };
    }
  }

  /** Orders the panel to arm or disarm. @returns the document `desired` as it is now */
  async order(id: string, order: Order): Promise<TwinDocument> {
    return orderArmed(this.ask, id, order, answerIn);
  }

  /** The versions of a document since a time, in milliseconds since 1970, newest first; none where there is no document. */
  async history(id: string, name: string, since: number): Promise<TwinDocument[]> {
    const versions: TwinDocument[] = [];
    const query = `since=${new Date(since).toISOString()}&limit=${HISTORY_LIMIT}`;
    for (let more = ''; ; more = `&before=${versions.at(-1)?.version}`) {
      const page = await this.#historyPage(id, name, query + more);
      versions.push(...page);
      if (page.length < HISTORY_LIMIT) return versions;
    }
  }

  /** The stream of a twin's events, until the signal ends it. */
  async events(id: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers = { Accept: 'text/event-stream' };
    const { body } = await this.#fetch(`${pathOf('twins', id)}/events`, { headers, signal });
    if (body === null) throw new Failed('server-fault');
    return body;
  }

  /** Gives this phone a PIN, or takes it away with null. @param current the one that it has */
  async setPin(pin: string | null, current: string | undefined): Promise<void> {
    await this.ask('PUT', pathOf('tokens', 'self', 'pin'), {
      pin,
      ...(current !== undefined && { current_pin: current }),
    });
  }

  /** Makes a device that may connect with a password. The password is shown this once. */
  async createDevice(name: string): Promise<{ id: string; password: string }> {
    const body = { name, allow_insecure: true };
    const made = (await this.ask('POST', pathOf('devices'), body)) as { device: Device; password: string };
    return { id: made.device.id, password: made.password };
  }

  async #historyPage(id: string, name: string, query: string): Promise<TwinDocument[]> {
    try {
      const answer = await this.ask('GET', `${documentPath(id, name)}/history?${query}`);
      return (answer as { history: TwinDocument[] }).history;
    } catch (error) {
      if (answerIn(error).resource === 'twin_document') return [];
      throw error;
    }
  }

  /** One call to a path of the region; undefined for an answer without a body. */
  readonly ask: Ask = async (method, path, body) => {
    const json = body === undefined ? null : JSON.stringify(body);
    const response = await this.#fetch(path, {
      method,
      body: json,
      signal: AbortSignal.timeout(PAUSES.answer),
    });
    if (response.status === 204) return undefined;
    try {
      return await response.json();
    } catch {
      throw new Failed('server-away');
    }
  };

  /** It is used once: later it would be old. */
  #takeEarly(path: string): Promise<Response> | undefined {
    if (path !== overviewPath(1)) return undefined;
    const { early } = this;
    this.early = undefined;
    return early;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      const headers = { ...init.headers, [TOKEN_HEADER]: this.token };
      response = await (this.#takeEarly(path) ?? fetch(this.base + path, { ...init, headers }));
    } catch {
      throw new Failed('server-away');
    }
    const date = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(date)) this.onClock(date);
    if (response.ok) return response;
    const error = restErrorOf(await response.json().catch(() => undefined));
    throw new Failed(faultOf(response.status, error), error);
  }
}

const answerIn = (error: unknown): RestError => (error instanceof Failed ? error.answer : {});
