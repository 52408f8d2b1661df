import { type FileHandle, open, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { StorageLimits } from './storage.js';

const MIB = 1024 * 1024;

/** How much of the disk is kept back for what matters. Sizes are in bytes. */
const RESERVE = {
  /** The length of the file that holds space. It is made shorter when the disk is full. */
  bytes: 16 * MIB,
  /** The disk is short when less than this is free. */
  lowBytes: 32 * MIB,
  /** On a small disk each of them is at most this part of it. */
  partOfDisk: 1 / 8,
  /** The file gives back this part of its length at once. */
  step: 1 / 4,
  /** It gives back a step when less than this part of `lowBytes` is free. */
  nearlyNothing: 1 / 4,
  /** The disk is no longer short when this multiple of `lowBytes` is free. */
  enough: 1.5,
};

/** What one twin may write to the journal while the disk is short: so many bytes at once, and so many a second. */
export const SHARE_WHEN_SHORT = { bytes: 64 * 1024, bytesPerSecond: 1024 };

/** Why a twin may not write then. */
export const SHARE_IS_USED_UP = new Error('the disk is nearly full, and the twin has written its share');

/** The bytes of the file system that a directory is on. */
export type Disk = (directory: string) => Promise<{ readonly free: number; readonly size: number }>;

const systemDisk: Disk = async (directory) => {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { free: bavail * bsize, size: blocks * bsize };
};

/** The journal takes at most this part of a small disk, because the files need room to leave it. */
const JOURNAL_PART_OF_DISK = 1 / 4;

/** How long the journal may become on the disk of a directory. @param most on a large disk */
export async function journalCeiling(
  directory: string,
  most: number,
  disk: Disk = systemDisk,
): Promise<number> {
  const { size } = await disk(directory);
  return Math.min(most, size * JOURNAL_PART_OF_DISK);
}

const FULL = ['ENOSPC', 'EDQUOT'];

/** Whether an error says that the disk is full. */
export const isDiskFull = (error: unknown): boolean =>
  FULL.includes((error as NodeJS.ErrnoException).code ?? '');

/** Its name in the data directory. A backup leaves it out. */
export const RESERVE_FILE = 'reserve';

const ZEROS = Buffer.alloc(256 * 1024);

/**
 * Space on the disk for what matters. While little is free the disk is short: then no history is written, and each twin
 * may write only a small share. A file of zeros in the data directory holds space, and becomes shorter when nothing else
 * is left. So documents, devices and tokens can still be written. When there is room again, everything is as before.
 */
export class Reserve {
  readonly #path: string;
  readonly #directory: string;
  readonly #lookMs: number;
  readonly #disk: Disk;
  readonly #onShort: (short: boolean) => void;
  #isShort = false;
  #held = 0;
  #timer: NodeJS.Timeout | undefined;
  /** What is under way. One thing is done after the other. */
  #work: Promise<void> = Promise.resolve();
  /** A look is in the queue. */
  #willLook = false;
  /** A write has failed since the last look. */
  #wasFull = false;
  #closed = false;
  /** When what each twin has written while the disk is short would be over, had it kept to its share. */
  readonly #due = new Map<string, number>();

  /** @param onShort the disk is short, or no longer */
  constructor(
    directory: string,
    { diskLookMs, disk = systemDisk }: Pick<StorageLimits, 'diskLookMs'> & { readonly disk?: Disk },
    onShort: (short: boolean) => void,
  ) {
    this.#directory = directory;
    this.#path = join(directory, RESERVE_FILE);
    this.#lookMs = diskLookMs;
    this.#disk = disk;
    this.#onShort = onShort;
  }

  /** The length of the file that holds space. */
  get bytes(): number {
    return this.#held;
  }

  async begin(): Promise<void> {
    this.#held = await lengthOf(this.#path);
    await this.look();
    this.#lookLater();
  }

  /** Compares what is free with what is needed. It is called when the journal has grown. */
  look(mayGrow = false): Promise<void> {
    if (!this.#willLook) {
      this.#willLook = true;
      this.#work = this.#work.then(() => {
        this.#willLook = false;
        return this.#closed ? undefined : this.#look(mayGrow);
      });
    }
    return this.#work;
  }

  /** A write has failed. If the disk is full, the reserve gives space back. */
  hear(error: unknown): void {
    if (!isDiskFull(error) || this.#closed) return;
    this.#wasFull = true;
    this.#become(true);
    this.look();
  }

  /**
   * Whether a twin may write so many bytes to the journal. While the disk is short it may by the generic cell rate
   * algorithm of ITU-T I.371.
   */
  admits(twin: string, bytes: number): boolean {
    if (!this.#isShort) return true;
    const now = performance.now();
    const due = Math.max(this.#due.get(twin) ?? now, now) + (bytes * 1000) / SHARE_WHEN_SHORT.bytesPerSecond;
    if (due - now > (SHARE_WHEN_SHORT.bytes * 1000) / SHARE_WHEN_SHORT.bytesPerSecond) return false;
    this.#due.set(twin, due);
    return true;
  }

  /** The file stays for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#work;
  }

  // The file is made some time after the start, so that the start is quick.
  #lookLater(): void {
    this.#timer = setTimeout(async () => {
      await this.look(true);
      if (!this.#closed) this.#lookLater();
    }, this.#lookMs);
  }

  async #look(mayGrow: boolean): Promise<void> {
    const wasFull = this.#wasFull;
    this.#wasFull = false;
    const disk = await this.#disk(this.#directory).catch(() => undefined);
    if (disk === undefined) return;
    const most = disk.size * RESERVE.partOfDisk;
    const [whole, low] = [Math.min(RESERVE.bytes, most), Math.min(RESERVE.lowBytes, most)];
    this.#become(wasFull || disk.free < (this.#isShort ? low * RESERVE.enough : low));
    if (wasFull || disk.free < low * RESERVE.nearlyNothing) return this.#give(whole * RESERVE.step);
    const bytes = Math.floor(Math.min(whole - this.#held, disk.free - low * RESERVE.enough));
    if (mayGrow && bytes > 0) await this.#grow(bytes);
  }

  #become(short: boolean): void {
    if (short === this.#isShort) return;
    this.#isShort = short;
    this.#due.clear();
    this.#onShort(short);
  }

  async #give(bytes: number): Promise<void> {
    if (this.#held === 0) return;
    const left = Math.max(0, Math.floor(this.#held - bytes));
    await this.#write(async (handle) => {
      await handle.truncate(left);
      this.#held = left;
    });
  }

  /** Writes zeros, because a file system gives no space to a file that is only made longer. */
  async #grow(bytes: number): Promise<void> {
    const end = this.#held + bytes;
    await this.#write(async (handle) => {
      while (this.#held < end && !this.#closed) {
        const piece = ZEROS.subarray(0, end - this.#held);
        this.#held += (await handle.write(piece, 0, piece.length, this.#held)).bytesWritten;
      }
      await handle.datasync();
    });
  }

  /** A reserve that cannot be written is as long as it is. */
  async #write(change: (handle: FileHandle) => Promise<void>): Promise<void> {
    try {
      const handle = await open(this.#path, this.#held === 0 ? 'w' : 'r+', 0o600);
      try {
        await change(handle);
      } finally {
        await handle.close();
      }
    } catch {
      this.#held = await lengthOf(this.#path);
    }
  }
}

const lengthOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
