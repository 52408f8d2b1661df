/** The PINs of tokens: a phone that has one needs it to disarm, so that a thief with the phone cannot. */

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { changeFile, putDocument, readDocuments, removeDocument, type Storage } from '../storage/storage.js';
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
 * storage, before it is looked at: neither a restart, nor several tries at once, nor several servers give more of them.
 */
export class Pins {
  readonly #storage: Storage;
  readonly #limits: PinLimits;
  /** The tokens that have a PIN. */
  readonly #tokens: Set<string>;

  private constructor(storage: Storage, limits: PinLimits, tokens: Set<string>) {
    this.#storage = storage;
    this.#limits = limits;
    this.#tokens = tokens;
    storage.watch(FILE, ({ key, after }) => this.#keep(key, after !== undefined));
  }

  /** @throws StorageUnavailable */
  static async open(storage: Storage, limits: Partial<PinLimits> = {}): Promise<Pins> {
    const tokens = new Set((await readDocuments(storage, FILE)).keys());
    return new Pins(storage, { ...PIN_LIMITS, ...limits }, tokens);
  }

  has(tokenId: string): boolean {
    return this.#tokens.has(tokenId);
  }

  /** Resolves where the token has no PIN, or this one. @throws PinRefused, StorageUnavailable */
  async check(tokenId: string, pin: string | undefined): Promise<void> {
    if (!this.has(tokenId)) return;
    let lockedMs = 0;
    const tried = await this.#change(tokenId, (record, now) => {
      if (pin === undefined) throw new PinRefused('required', tokenId);
      if (now < record.lockedUntil) throw new PinRefused('locked', tokenId, record.lockedUntil - now);
      const counted = this.#counted(record, now);
      lockedMs = Math.max(0, counted.lockedUntil - now);
      return counted;
    });
    if (tried === undefined || pin === undefined) return;
    const hash = await hashOf(pin, Buffer.from(tried.salt, 'base64'));
    if (!timingSafeEqual(hash, Buffer.from(tried.hash, 'base64')))
      throw new PinRefused('wrong', tokenId, lockedMs);
    await this.#change(tokenId, (record) =>
      record.hash === tried.hash ? { ...record, wrong: 0, lockedUntil: 0 } : record,
    );
  }

  /** Gives the token a PIN, or takes it away with null. What was wrong before counts no more. @throws StorageUnavailable, and what the author's `judge` throws */
  async set(tokenId: string, pin: string | null, author?: Author): Promise<void> {
    const judge = () => author?.judge();
    if (pin === null) {
      await removeDocument(this.#storage, FILE, tokenId, judge);
    } else {
      const salt = randomBytes(SALT_BYTES);
      const hash = await hashOf(pin, salt);
      const [saltText, hashText] = [salt.toString('base64'), hash.toString('base64')];
      const record: PinRecord = { salt: saltText, hash: hashText, wrong: 0, lockedUntil: 0 };
      await putDocument(this.#storage, FILE, tokenId, JSON.stringify(record), judge);
    }
    this.#keep(tokenId, pin !== null);
  }

  /** The token was revoked. @throws StorageUnavailable */
  forget(tokenId: string): Promise<void> {
    return this.set(tokenId, null);
  }

  #keep(tokenId: string, hasPin: boolean): void {
    if (hasPin) this.#tokens.add(tokenId);
    else this.#tokens.delete(tokenId);
  }

  #counted(record: PinRecord, now: number): PinRecord {
    const { wrong: most, lockMs, lockCeilingMs } = this.#limits;
    const wrong = record.wrong + 1;
    const lock = wrong < most ? 0 : Math.min(lockMs * 2 ** (wrong - most), lockCeilingMs);
    return { ...record, wrong, lockedUntil: lock === 0 ? 0 : now + lock };
  }

  /** Changes what is stored of a PIN. Returns it, or undefined when the token has none any more. */
  async #change(
    tokenId: string,
    edit: (record: PinRecord, now: number) => PinRecord,
  ): Promise<PinRecord | undefined> {
    const edited = await changeFile(this.#storage, FILE, (latest, updatedAt) => {
      const present = latest.get(tokenId);
      if (present === undefined) return undefined;
      const record = edit(JSON.parse(present.data) as PinRecord, Date.parse(updatedAt));
      const data = JSON.stringify(record);
      return { key: tokenId, document: { version: present.version + 1, updatedAt, data } };
    });
    return edited?.document && (JSON.parse(edited.document.data) as PinRecord);
  }
}
