import {
  accessSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile, withOpen } from './replace-file.js';

/** What a power cut does to the block that is being written. */
export type Cut = 'before' | 'torn' | 'after';

/** The file that stands for a flash cannot be read as one. */
export class FlashDamaged extends Error {
  override name = 'FlashDamaged';
  constructor(path: string, cause: unknown) {
    super(`${path} is no flash file: delete it to begin with an empty flash`, { cause });
  }
}

/** A file that would become longer is replaced by what counts of it. */
const LONGEST = 2 ** 18;
/** Within an object a line does not end so. */
const END_OF_OBJECT = /(?<=\})\n/;
const APPENDING = constants.O_WRONLY | constants.O_APPEND;

/**
 * A board's flash: blocks by key (base64), kept in a file of JSON objects, of which the later ones count. A write is on
 * stable storage before it returns, so that the panel survives a power cut of this machine as well.
 */
export class FlashFile {
  readonly #path: string;
  #blocks: ReadonlyMap<string, string>;
  /** How long the file is, all of which counts. */
  #length = 0;
  #cut: { operations: number; how: Cut; cut: () => void } | undefined;

  /** @throws FlashDamaged, or what the file system throws when the file could not be read or replaced */
  constructor(path: string) {
    accessSync(dirname(path), constants.W_OK);
    this.#path = path;
    this.#blocks = existsSync(path) ? this.#read() : new Map();
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
    const block = (how === 'torn' ? torn(value) : Buffer.from(value)).toString('base64');
    const blocks = new Map(this.#blocks).set(key, block);
    if (!this.#append(`${JSON.stringify({ [key]: block })}\n`)) this.#replace(blocks);
    this.#blocks = blocks;
  }

  /** Lets the power fail at the nth operation from now (1: the next); `cut` is called then. For tests. */
  cutPowerAt(operations: number, how: Cut, cut: () => void): void {
    this.#cut = { operations, how, cut };
  }

  #read(): Map<string, string> {
    const text = readFileSync(this.#path, 'utf8');
    const [first = '', ...later] = text.split(END_OF_OBJECT);
    // What was being appended when this machine lost its power.
    const rest = later.pop();
    if (rest === '') this.#length = Buffer.byteLength(text);
    return new Map([first, ...later].flatMap((object) => [...parse(this.#path, object)]));
  }

  /**
   * Waits for the disk once, where to replace the file waits twice: 0.3 instead of 0.9 ms on a quiet disk, 2 instead of
   * 7 ms on a busy one. False when that cannot be, or when the file is not as it was left.
   */
  #append(line: string): boolean {
    const length = this.#length + Buffer.byteLength(line);
    if (length > LONGEST) return false;
    try {
      return withOpen(this.#path, APPENDING, (file) => {
        if (fstatSync(file).size !== this.#length) return false;
        writeFileSync(file, line);
        fdatasyncSync(file);
        this.#length = length;
        return true;
      });
    } catch {
      // Replacing it tells what is wrong.
      return false;
    }
  }

  #replace(blocks: ReadonlyMap<string, string>): void {
    const text = `${JSON.stringify(Object.fromEntries(blocks), null, 2)}\n`;
    replaceFile(this.#path, text);
    this.#length = Buffer.byteLength(text);
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
