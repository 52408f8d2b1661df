import { isDeepStrictEqual } from 'node:util';
import { EventReader } from '../server/rest/event-reader.js';
import type { Server } from '../system/server.js';

/** What a reader of a twin's events believes of the twin. */
export class Follower {
  readonly #reader: EventReader;
  readonly #documents = new Map<string, unknown>();
  #connected: boolean | undefined;

  private constructor(reader: EventReader) {
    this.#reader = reader;
    this.#follow();
  }

  static async open({ http, token }: Server, id: string): Promise<Follower> {
    return new Follower(await EventReader.open({ url: http, token }, `/twins/${id}`));
  }

  /** What it believes wrongly, or undefined. */
  fault(documents: ReadonlyMap<string, unknown>, connected: boolean): string | undefined {
    if (this.#connected !== connected) return `the follower believes connected: ${this.#connected}`;
    if (isDeepStrictEqual(this.#documents, documents)) return undefined;
    return `the follower believes ${JSON.stringify([...this.#documents])}, there is ${JSON.stringify([...documents])}`;
  }

  close(): void {
    this.#reader.close();
  }

  async #follow(): Promise<void> {
    for (;;) {
      const { event, data } = await this.#reader.next();
      if (event === 'presence') this.#connected = data.is_connected;
      else if (event === 'document') this.#documents.set(data.document_name, data);
      else if (event === 'document_deleted') this.#documents.delete(data.document_name);
    }
  }
}
