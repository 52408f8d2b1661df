import type { Connection } from '../storage/postgres/connection.js';
import type { Listener } from '../storage/postgres/listener.js';
import { BLOCK, BLOCK_CHANNEL, BLOCKS, type BlockRow } from './statements.js';

/** How long a block may take to be said, in milliseconds. */
const SAY_MS = 2000;

/** Sources that guess are blocked by all servers. A block that cannot be said is this server's alone. */
export class SharedBlocks {
  readonly #connection: Connection;
  readonly #id: string;
  readonly #onError: (error: Error) => void;
  #hear: (source: string, ms: number) => void = () => undefined;

  constructor(connection: Connection, listener: Listener, id: string, onError: (error: Error) => void) {
    this.#connection = connection;
    this.#id = id;
    this.#onError = onError;
    listener.on(BLOCK_CHANNEL, ([node, ms, source = '']) => {
      if (node !== id) this.#hear(Buffer.from(source, 'base64url').toString(), Number(ms));
    });
    listener.afterGap(() => this.#readAll());
  }

  tell(source: string, ms: number): void {
    const said = `${this.#id} ${Math.round(ms)} ${Buffer.from(source).toString('base64url')}`;
    this.#connection.run(BLOCK, [source, ms, said], performance.now() + SAY_MS).catch(this.#onError);
  }

  onBlock(hear: (source: string, ms: number) => void): void {
    this.#hear = hear;
    this.#readAll().catch(this.#onError);
  }

  async #readAll(): Promise<void> {
    const rows = await this.#connection.run<BlockRow>(BLOCKS, [], performance.now() + SAY_MS);
    for (const { source, ms } of rows) this.#hear(source, ms);
  }
}
