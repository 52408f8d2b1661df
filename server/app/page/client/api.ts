/** The server's REST interface, as far as the app needs it. */

import type { TwinDocument } from '../../../../shared/document.js';
import { CURRENT, DESIRED } from '../../../../shared/panel.js';
import {
  type Ask,
  allDevices,
  documentPath,
  type Order,
  orderArmed,
  pathOf,
  type RestError,
  restErrorOf,
  TOKEN_HEADER,
} from '../../../../shared/rest.js';
import type { Device } from '../../../devices/device.js';
import type { Role } from '../state/app.js';
import { type Fault, faultOf } from '../state/fault.js';
import { newPanel, type Panel, withDocument } from '../state/panel.js';

/** The documents of a panel. */
const ITS_OWN = [CURRENT, DESIRED];
const HISTORY_LIMIT = 1000;
/** A server that has not answered after so long counts as away. */
const ANSWER_MS = 10_000;

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

/** Every call may throw Failed. */
export class Api {
  /**
   * @param base `/iot/v1/regions/…`
   * @param onClock gets the server's clock at each answer, in milliseconds since 1970
   */
  constructor(
    readonly base: string,
    readonly token: string,
    private readonly onClock: (serverNow: number) => void,
  ) {}

  async role(): Promise<Role> {
    const { role } = (await this.ask('GET', pathOf('tokens', 'self'))) as { role: Role };
    return role;
  }

  /** All devices with their last reports, in the order of their names. */
  async panels(): Promise<Panel[]> {
    const devices = await allDevices<Device>(this.ask);
    const panels = await Promise.all(devices.map((device) => this.#panel(device)));
    return panels.sort((one, other) => one.name.localeCompare(other.name));
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

  async #panel({ id, name, is_connected, last_activity_at }: Device): Promise<Panel> {
    const at = last_activity_at === null ? {} : { at: Date.parse(last_activity_at) };
    const panel = newPanel(id, name, { isConnected: is_connected, ...at });
    try {
      const { documents } = (await this.ask('GET', pathOf('twins', id))) as {
        documents: { document_name: string }[];
      };
      const names = documents
        .map(({ document_name }) => document_name)
        .filter((each) => ITS_OWN.includes(each));
      const found = await Promise.all(names.map((each) => this.ask('GET', documentPath(id, each))));
      return (found as TwinDocument[]).reduce(withDocument, panel);
    } catch (error) {
      // It was removed meanwhile. The next look will not find it.
      if (answerIn(error).resource !== undefined) return panel;
      throw error;
    }
  }

  /** One call to a path of the region; undefined for an answer without a body. */
  readonly ask: Ask = async (method, path, body) => {
    const json = body === undefined ? null : JSON.stringify(body);
    const response = await this.#fetch(path, { method, body: json, signal: AbortSignal.timeout(ANSWER_MS) });
    if (response.status === 204) return undefined;
    try {
      return await response.json();
    } catch {
      throw new Failed('server-away');
    }
  };

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      const headers = { ...init.headers, [TOKEN_HEADER]: this.token };
      response = await fetch(this.base + path, { ...init, headers });
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
