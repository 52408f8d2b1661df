/** Flash in memory, whose writes may be cut short. */

import type { KeyValueStore } from '../../firmware/board.js';

/** What is left of a block that was being written when the power was cut; undefined: the key is gone. */
export type Tear = (before: Uint8Array | undefined, after: Uint8Array) => Uint8Array | undefined;

export class PowerCut extends Error {}

export class MemoryStore implements KeyValueStore {
  readonly blocks = new Map<string, Uint8Array>();
  operations = 0;
  writes = 0;
  /** Asked before every operation, with its number from 1; what it throws is thrown. */
  before: (operation: number) => void = () => {};
  /** What a write leaves, where that is not what was written; it does not throw by that. */
  wear: Tear | undefined;
  #cutAt = 0;
  #tear: Tear = (before) => before;

  /** The power is cut during the nth operation from now, and everything after it fails as well. */
  cutPowerAt(operation: number, tear: Tear): void {
    this.#cutAt = this.operations + operation;
    this.#tear = tear;
  }

  /** The power is back: the same blocks, and no fault. */
  afterPowerCut(): MemoryStore {
    const store = new MemoryStore();
    for (const [key, block] of this.blocks) store.blocks.set(key, block.slice());
    return store;
  }

  read(key: string): ArrayBuffer | undefined {
    this.#begin();
    if (this.#isCut()) throw new PowerCut();
    return this.blocks.get(key)?.slice().buffer as ArrayBuffer | undefined;
  }

  write(key: string, value: Uint8Array): void {
    this.#begin();
    this.writes += 1;
    if (this.operations === this.#cutAt) this.#put(key, this.#tear(this.blocks.get(key), value));
    if (this.#isCut()) throw new PowerCut();
    this.#put(key, this.wear === undefined ? value : this.wear(this.blocks.get(key), value));
  }

  #begin(): void {
    this.operations += 1;
    this.before(this.operations);
  }

  #isCut(): boolean {
    return this.#cutAt > 0 && this.operations >= this.#cutAt;
  }

  #put(key: string, block: Uint8Array | undefined): void {
    if (block === undefined) this.blocks.delete(key);
    else this.blocks.set(key, block.slice());
  }
}
