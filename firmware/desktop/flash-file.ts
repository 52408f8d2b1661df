import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from './replace-file.js';

/** What a power cut does to the block that is being written. */
export type Cut = 'before' | 'torn' | 'after';

/** The file that stands for a flash cannot be read as one. */
export class FlashDamaged extends Error {
  override name = 'FlashDamaged';
  constructor(path: string, cause: unknown) {
    super(`${path} is no flash file: delete it to begin with an empty flash`, { cause });
  }
}

/**
 * A board's flash: blocks by key, kept in a JSON file (base64) that a write replaces whole and on stable storage, so
 * that the panel survives a power cut of this machine as well.
 */
export class FlashFile {
  readonly #path: string;
  #blocks: ReadonlyMap<string, string>;
  #cut: { operations: number; how: Cut; cut: () => void } | undefined;

  /** @throws FlashDamaged, or what the file system throws when the file could not be read or replaced */
  constructor(path: string) {
    accessSync(dirname(path), constants.W_OK);
    this.#path = path;
    this.#blocks = existsSync(path) ? parse(path, readFileSync(path, 'utf8')) : new Map();
  }

  read(key: string): Buffer | undefined {
    if (this.#takesPower() !== undefined) return undefined;
    const block = this.#blocks.get(key);
    return block === undefined ? undefined : Buffer.from(block, 'base64');
  }

  /** @throws what the file system throws; the block is then as it was */
  write(key: string, value: Uint8Array): void {
    const how = this.#takesPower();
    if (how === 'before') return;
    const block = how === 'torn' ? torn(value) : Buffer.from(value);
    const blocks = new Map(this.#blocks).set(key, block.toString('base64'));
    replaceFile(this.#path, `${JSON.stringify(Object.fromEntries(blocks), null, 2)}\n`);
    this.#blocks = blocks;
  }

  /** Lets the power fail at the nth operation from now (1: the next); `cut` is called then. For tests. */
  cutPowerAt(operations: number, how: Cut, cut: () => void): void {
    this.#cut = { operations, how, cut };
  }

  #takesPower(): Cut | undefined {
    if (this.#cut === undefined || --this.#cut.operations > 0) return undefined;
    const { how, cut } = this.#cut;
    this.#cut = undefined;
    cut();
    return how;
  }
}

/** Half of it new, half of it as erased flash is. */
function torn(value: Uint8Array): Buffer {
  const block = Buffer.from(value);
  return block.fill(0xff, Math.floor(block.length / 2));
}

function parse(path: string, text: string): Map<string, string> {
  try {
    const blocks: unknown = JSON.parse(text);
    if (typeof blocks !== 'object' || blocks === null || Array.isArray(blocks))
      throw new Error('not an object');
    return new Map(Object.entries(blocks).map(([key, block]) => [key, parseBlock(block)]));
  } catch (error) {
    throw new FlashDamaged(path, error);
  }
}

/** Text that is not base64 is not taken for a block. */
function parseBlock(block: unknown): string {
  if (typeof block === 'string' && Buffer.from(block, 'base64').toString('base64') === block) return block;
  throw new Error('a block is no base64');
}
