/** The PINs of tokens: a phone that has one needs it to disarm, so that a thief with the phone cannot. */

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { putDocument, readDocuments, removeDocument, type Storage } from '../storage/storage.js';
import type { Author } from './author.js';

/** Why a PIN is refused. */
export type PinRefusal = 'required' | 'wrong' | 'locked';

export class PinRefused extends Error {
  override name = 'PinRefused';
  constructor(
    readonly reason: PinRefusal,
    readonly tokenId: string,
    /** For how long no PIN of this token is looked at, in milliseconds. */
    readonly lockedMs = 0,
  ) {
    super(`PIN ${reason}`);
  }
}

/** Times are in milliseconds. */
export const PIN_LIMITS = {
  /** How many wrong ones in a row lock the token. */
  wrong: 5,
  /** How long the first lock lasts. Each further wrong PIN locks it twice as long. */
  lockMs: 60_000,
  /** How long a lock lasts at most. A thief who tries all PINs of four digits needs more than a year. */
  lockCeilingMs: 3_600_000,
};

export type PinLimits = Readonly<typeof PIN_LIMITS>;

/** What a PIN is. */
export const PIN = /^[0-9]{4,12}$/;

/** A PIN as it is stored, by the id of its token. */
interface PinRecord {
  /** Both in base64. */
  readonly salt: string;
  readonly hash: string;
  /** How many in a row were wrong, the one that is being checked included. */
  readonly wrong: number;
  /** Milliseconds since 1970. */
  readonly lockedUntil: number;
}

const FILE = 'pins';
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** 16 MiB of memory and some 50 ms for each try. */
const COST: ScryptOptions = { N: 16_384, r: 8, p: 1 };

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
const hashOf = (pin: string, salt: Buffer): Promise<Buffer> => derive(pin, salt, HASH_BYTES, COST);

/**
 * Tries are counted for each token, so wrong ones lock neither other phones nor the owner out. Each is counted, on stable
 * storage, before it is looked at: neither a restart nor several tries at once give more of them.
 */
export class Pins {
  readonly #storage: Storage;
  readonly #limits: PinLimits;
  readonly #records = new Map<string, PinRecord>();
  /** The last work on each token that has some: one waits for the other. */
  readonly #turns = new Map<string, Promise<void>>();

  private constructor(storage: Storage, limits: PinLimits) {
    this.#storage = storage;
    this.#limits = limits;
  }

  /** @throws StorageUnavailable */
  static async open(storage: Storage, limits: Partial<PinLimits> = {}): Promise<Pins> {
    const pins = new Pins(storage, { ...PIN_LIMITS, ...limits });
    for (const [id, { data }] of await readDocuments(storage, FILE))
      pins.#records.set(id, JSON.parse(data) as PinRecord);
    return pins;
  }

  has(tokenId: string): boolean {
    return this.#records.has(tokenId);
  }

  /** Resolves where the token has no PIN, or this one. @throws PinRefused, StorageUnavailable */
  check(tokenId: string, pin: string | undefined): Promise<void> {
    return this.#inTurn(tokenId, async () => {
      const record = this.#records.get(tokenId);
      if (record === undefined) return;
      if (pin === undefined) throw new PinRefused('required', tokenId);
      const now = this.#storage.now();
      if (now < record.lockedUntil) throw new PinRefused('locked', tokenId, record.lockedUntil - now);
      const counted = this.#counted(record, now);
      await this.#put(tokenId, counted);
      const hash = await hashOf(pin, Buffer.from(record.salt, 'base64'));
      if (!timingSafeEqual(hash, Buffer.from(record.hash, 'base64'))) {
        throw new PinRefused('wrong', tokenId, Math.max(0, counted.lockedUntil - now));
      }
      await this.#put(tokenId, { ...record, wrong: 0, lockedUntil: 0 });
    });
  }

  /** Gives the token a PIN, or takes it away with null. What was wrong before counts no more. @throws StorageUnavailable, and what the author's `judge` throws */
  async set(tokenId: string, pin: string | null, author?: Author): Promise<void> {
    const salt = randomBytes(SALT_BYTES);
    const hash = pin === null ? undefined : await hashOf(pin, salt);
    return this.#inTurn(tokenId, async () => {
      if (hash === undefined) return this.#remove(tokenId, author);
      const [saltText, hashText] = [salt.toString('base64'), hash.toString('base64')];
      await this.#put(tokenId, { salt: saltText, hash: hashText, wrong: 0, lockedUntil: 0 }, author);
    });
  }

  /** The token was revoked. @throws StorageUnavailable */
  forget(tokenId: string): Promise<void> {
    return this.#inTurn(tokenId, () => this.#remove(tokenId));
  }

  #counted(record: PinRecord, now: number): PinRecord {
    const { wrong: most, lockMs, lockCeilingMs } = this.#limits;
    const wrong = record.wrong + 1;
    const lock = wrong < most ? 0 : Math.min(lockMs * 2 ** (wrong - most), lockCeilingMs);
    return { ...record, wrong, lockedUntil: lock === 0 ? 0 : now + lock };
  }

  async #put(tokenId: string, record: PinRecord, author?: Author): Promise<void> {
    await putDocument(this.#storage, FILE, tokenId, JSON.stringify(record), () => author?.judge());
    this.#records.set(tokenId, record);
  }

  async #remove(tokenId: string, author?: Author): Promise<void> {
    await removeDocument(this.#storage, FILE, tokenId, () => author?.judge());
    this.#records.delete(tokenId);
  }

  #inTurn(tokenId: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(tokenId) ?? Promise.resolve()).then(work, work);
    const settled: Promise<void> = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(tokenId) === settled) this.#turns.delete(tokenId);
      });
    this.#turns.set(tokenId, settled);
    return turn;
  }
}
