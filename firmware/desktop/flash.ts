import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

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
 * that the panel survives a power cut of this machine as well. @throws FlashDamaged
 */
export class FlashFile {
  readonly #path: string;
  readonly #blocks: Map<string, string>;
  #cut: { operations: number; how: Cut; cut: () => void } | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#blocks = existsSync(path) ? parse(path) : new Map();
  }

  read(key: string): Buffer | undefined {
    if (this.#takesPower() !== undefined) return undefined;
    const block = this.#blocks.get(key);
    return block === undefined ? undefined : Buffer.from(block, 'base64');
  }

  /** @throws what the file system throws */
  write(key: string, value: Uint8Array): void {
    const how = this.#takesPower();
    if (how === 'before') return;
    this.#blocks.set(key, (how === 'torn' ? torn(value) : Buffer.from(value)).toString('base64'));
    this.#save();
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

  #save(): void {
    const temporary = `${this.#path}.tmp`;
    const fd = openSync(temporary, 'w', 0o600);
    try {
      writeSync(fd, `${JSON.stringify(Object.fromEntries(this.#blocks), null, 2)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, this.#path);
    const directory = openSync(dirname(this.#path), 'r');
    fsyncSync(directory);
    closeSync(directory);
  }
}

/** Half of it new, half of it as erased flash is. */
function torn(value: Uint8Array): Buffer {
  const block = Buffer.from(value);
  return block.fill(0xff, Math.floor(block.length / 2));
}

function parse(path: string): Map<string, string> {
  try {
    const blocks = Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>);
    if (!blocks.every(([, block]) => typeof block === 'string')) throw new Error('a block is no text');
    return new Map(blocks);
  } catch (error) {
    throw new FlashDamaged(path, error);
  }
}
