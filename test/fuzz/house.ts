import type { Credentials } from '../server/mqtt/endpoint.js';
import { connectPacket, publishPacket, RawClient, subscribePacket } from '../server/mqtt/raw-client.js';
import type { Transport } from '../server/mqtt/transports.js';
import { createDevice, type Server } from '../system/server.js';
import { Follower } from './follower.js';
import type { Target } from './target.js';

/** A connection of the house's device, once it is let in. */
export interface Guest {
  readonly connection: RawClient;
  readonly clientId: string;
  /** What its will writes, where it has one. */
  readonly will: number | undefined;
}

const WILL = 'will';
let wills = 0;
let asked = 0;

/** One device, its connections and those who follow it. */
export class House {
  readonly guests = new Set<Guest>();
  readonly followers: Follower[] = [];
  /** Wills that must never be carried out. */
  readonly forbiddenWills = new Set<number>();
  enabled = true;
  deleted = false;
  readonly id: string;
  readonly multiple: boolean;
  readonly #target: Target;
  #credentials: Credentials;

  private constructor(target: Target, credentials: Credentials, multiple: boolean) {
    this.#target = target;
    this.#credentials = credentials;
    this.id = credentials.id;
    this.multiple = multiple;
  }

  static async open(target: Target, multiple: boolean): Promise<House> {
    const device = await createDevice(target.server, 'house', { allow_multiple_connections: multiple });
    return new House(target, device, multiple);
  }

  get #server(): Server {
    return this.#target.server;
  }

  /** @returns who was let in, the code of the refusal, or undefined when the connection was closed */
  async connect(
    clientId: string,
    willed: boolean,
    transport: Transport,
  ): Promise<Guest | number | undefined> {
    const connection = await RawClient.open(this.#target, transport);
    const will = willed ? ++wills : undefined;
    const payload = Buffer.from(JSON.stringify({ data: { will } }));
    const changes = {
      clientId,
      ...(willed && { will: { topic: `$SCW/twins/me/${WILL}/put`, payload, qos: 0, retain: false } }),
    };
    connection.send(connectPacket(this.#credentials, changes), subscribePacket('$SCW/twins/me/#'));
    try {
      const { returnCode } = await connection.next('connack');
      if (returnCode !== 0) {
        if (will !== undefined) this.forbiddenWills.add(will);
        return returnCode;
      }
      const guest = { connection, clientId, will };
      this.guests.add(guest);
      connection.closed.then(() => this.guests.delete(guest));
      await connection.next('suback');
      return guest;
    } catch {
      return undefined;
    }
  }

  /** Writes by a connection. @returns whether it was answered, else it is closed. @throws Error for a wrong answer */
  async ask({ connection }: Guest): Promise<boolean> {
    const n = ++asked;
    const name = `asked-${n}`;
    try {
      connection.send(publishPacket(`$SCW/twins/me/${name}/put`, JSON.stringify({ data: { n } })));
      for (;;) {
        const { topic, payload } = await connection.message();
        if (!topic.startsWith(`$SCW/twins/me/${name}/put/`)) continue;
        if (JSON.stringify(payload.data) !== JSON.stringify({ n }))
          throw new Error(`asked ${n}, got ${topic}`);
        connection.send(publishPacket(`$SCW/twins/me/${name}/delete`, ''));
        return true;
      }
    } catch (error) {
      if (/closed the connection/.test((error as Error).message)) return false;
      throw error;
    }
  }

  /** Whether every connection that seems open is. */
  async ping(): Promise<void> {
    await Promise.all(
      [...this.guests].map(({ connection }) => connection.drain().catch(() => connection.closed)),
    );
  }

  async tell(deed: 'enable' | 'disable'): Promise<void> {
    await this.#rest('POST', `/devices/${this.id}/${deed}`);
  }

  async delete(): Promise<void> {
    await this.#rest('DELETE', `/devices/${this.id}`);
  }

  async renew(): Promise<void> {
    const renewed = await this.#rest('POST', `/devices/${this.id}/renew-certificate`);
    if (renewed !== undefined)
      this.#credentials = { id: this.id, password: (renewed as Credentials).password };
  }

  async follow(): Promise<void> {
    if (!this.deleted) this.followers.push(await Follower.open(this.#server, this.id));
  }

  unfollow(): void {
    this.followers.pop()?.close();
  }

  /** As REST shows the device; undefined when it is deleted. */
  async shown(): Promise<{ status: string; is_connected: boolean } | undefined> {
    const answer = await this.#rest('GET', `/devices/${this.id}`);
    return answer as { status: string; is_connected: boolean } | undefined;
  }

  /** All documents by name. */
  async documents(): Promise<Map<string, unknown>> {
    const list = (await this.#rest('GET', `/twins/${this.id}`)) as { documents: { document_name: string }[] };
    const names = list.documents.map(({ document_name }) => document_name);
    const path = `/twins/${this.id}/documents`;
    return new Map(
      await Promise.all(
        names.map(
          async (name): Promise<[string, unknown]> => [name, await this.#rest('GET', `${path}/${name}`)],
        ),
      ),
    );
  }

  /** The wills that were carried out. */
  async wills(): Promise<Set<number>> {
    const answer = await this.#rest('GET', `/twins/${this.id}/documents/${WILL}/history?limit=1000`);
    const { history } = (answer ?? { history: [] }) as { history: { data: { will: number } }[] };
    return new Set(history.map(({ data }) => data.will));
  }

  /** Undefined for what is not found. */
  async #rest(method: string, path: string): Promise<unknown> {
    const answer = await this.#server.api(path, { method });
    const text = await answer.text();
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
