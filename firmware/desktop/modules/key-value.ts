/** `embedded:storage/key-value` (ECMA-419): the flash that Node keeps in a file. */

import { ask } from './host.js';

/** One domain, in the format `buffer`. */
class Storage {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined where nothing was ever written. */
  read(key: string): ArrayBuffer | undefined {
    const { head, bytes } = ask('flash.read', { key: this.#path + key });
    return head.found ? bytes.buffer : undefined;
  }

  /** @throws Error when the flash does not take it */
  write(key: string, value: Uint8Array): void {
    ask('flash.write', { key: this.#path + key }, value);
  }
}

export default {
  open: ({ path }: { path: string; format: 'buffer' }): Storage => new Storage(path),
};
