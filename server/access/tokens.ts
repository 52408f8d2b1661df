import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isUuid } from '../../shared/document.js';
import {
  changeFile,
  type Documents,
  readDocuments,
  type Storage,
  StorageUnavailable,
  type StoredDocument,
} from '../storage/storage.js';
import type { Author } from './author.js';
import { LastSeen } from './last-seen.js';
import { digest, sameDigest } from './secret.js';

export const ROLES = ['owner', 'app', 'reader'] as const;
/** `owner` may do everything. `permissions.ts` says what `app` and `reader` may do. */
export type Role = (typeof ROLES)[number];

/** A token as it is listed. The secret is shown once, when the token is made. */
export interface Token {
  id: string;
  role: Role;
  description: string;
  /** The twins, with their devices, that the token is for. Null means all, and those that are made later. */
  twin_ids: readonly string[] | null;
  created_at: string;
  /** RFC 3339, or null when it does not expire. */
  expires_at: string | null;
}

/** Why a token is refused, in the words of the Scaleway API. */
export type Denial = 'invalid_argument' | 'not_found' | 'expired';

export class AuthenticationDenied extends Error {
  override name = 'AuthenticationDenied';
  constructor(readonly reason: Denial) {
    super('denied authentication');
  }
}

export class TokenNotFound extends Error {
  override name = 'TokenNotFound';
  constructor(readonly tokenId: string) {
    super('token not found');
  }
}

/** There is a token already. */
export class NotFirst extends Error {
  override name = 'NotFirst';
}

/** Without this token tokens could no longer be made or revoked. */
export class LastOwnerToken extends Error {
  override name = 'LastOwnerToken';
  constructor() {
    super('the last owner token without an expiry that is for all twins: make another one first');
  }
}

interface StoredToken {
  readonly token: Token;
  readonly sha256: string;
  /** It was given by the setting, and is not stored. */
  readonly given: boolean;
}

/** A token as it is stored. Tokens of the first version have no `twin_ids` and are for all twins. */
type TokenRecord = Omit<Token, 'id' | 'twin_ids'> & Partial<Pick<Token, 'twin_ids'>> & { sha256: string };

const FILE = 'tokens';
// The tokens of so many secrets are remembered, which saves a SHA-256 at every request.
const KNOWN_SECRETS = 1000;

/** The tokens of REST: random UUIDs, stored as SHA-256. They are few, so all are in memory. */
export class Tokens {
  readonly #storage: Storage;
  readonly #tokens = new Map<string, StoredToken>();
  readonly #bySha256 = new Map<string, StoredToken>();
  readonly #known = new LRUCache<string, Token>({ max: KNOWN_SECRETS });
  readonly #revoking = new Set<string>();
  readonly #watchers = new Set<(tokenId: string) => void>();
  readonly #seen: LastSeen;

  private constructor(storage: Storage, seen: LastSeen) {
    this.#storage = storage;
    this.#seen = seen;
  }

  /**
   * @param given the secret of an owner token that is not stored
   * @param onError called when it could not be written when the tokens were used
   * @throws StorageUnavailable
   */
  static async open(
    storage: Storage,
    given?: string,
    onError: (error: Error) => void = () => undefined,
  ): Promise<Tokens> {
    const tokens = new Tokens(storage, await LastSeen.open(storage, onError));
    storage.watch(FILE, ({ key, after }) => {
      if (after === undefined) tokens.#forget(key);
      else tokens.#add(storedIn(key, after));
    });
    for (const [id, document] of await readDocuments(storage, FILE)) tokens.#add(storedIn(id, document));
    if (given !== undefined) {
      const token = {
        ...tokens.#describe({ role: 'owner', description: 'TWIN_TOKEN' }),
        id: idOfGiven(given),
      };
      tokens.#add({ token, sha256: digest(given), given: true });
    }
    return tokens;
  }

  /** All tokens, oldest first. */
  list(): Token[] {
    const tokens = [...this.#tokens.values()].map(({ token }) => token);
    return tokens.sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
  }

  /**
   * A new token and its secret, a UUID v4.
   * @param isFirst only where there is no stored token yet, which several servers may find at the same time
   * @throws NotFirst, StorageUnavailable, and what the author's `judge` throws
   */
  async create(
    input: Pick<Token, 'role'> & Partial<Pick<Token, 'description' | 'twin_ids' | 'expires_at'>>,
    author?: Author,
    isFirst = false,
  ): Promise<{ token: Token; secret: string }> {
    const secret = randomUUID();
    const token = this.#describe(input);
    const { id, ...rest } = token;
    const sha256 = digest(secret);
    const document = { version: 1, updatedAt: token.created_at, data: JSON.stringify({ ...rest, sha256 }) };
    await changeFile(this.#storage, FILE, (latest) => {
      author?.judge();
      if (isFirst && latest.size > 0) throw new NotFirst();
      return { key: id, document };
    });
    this.#add({ token, sha256, given: false });
    await this.#storage.agree(FILE);
    return { token, secret };
  }

  /**
   * Makes a token invalid and calls the watchers.
   * @throws TokenNotFound, LastOwnerToken, StorageUnavailable, and what the author's `judge` throws
   */
  async revoke(id: string, author?: Author): Promise<void> {
    const stored = this.#tokens.get(id);
    if (stored === undefined) {
      author?.judge();
      throw new TokenNotFound(id);
    }
    try {
      await changeFile(this.#storage, FILE, (latest) => {
        // A token that revokes itself loses its rights by this decision, and may have to decide again.
        if (!this.#revoking.has(id)) author?.judge();
        if (!stored.given) refuseLastOwner(latest, id);
        this.#revoking.add(id);
        return stored.given ? undefined : { key: id, document: undefined };
      });
    } finally {
      this.#revoking.delete(id);
    }
    this.#forget(id);
    await this.#storage.agree(FILE);
  }

  /** The token is revoked, here or at another server. */
  #forget(id: string): void {
    const stored = this.#tokens.get(id);
    if (stored === undefined) return;
    this.#tokens.delete(id);
    this.#bySha256.delete(stored.sha256);
    this.#known.clear();
    this.#seen.forget(id);
    for (const watcher of this.#watchers) watcher(id);
  }

  /** A connection shows the token. It is called once for each connection, not for each request. */
  used({ id }: Pick<Token, 'id'>): void {
    this.#seen.note(id);
  }

  /** When a connection showed the token last: RFC 3339, or null where that is not known. */
  lastSeenAt({ id }: Pick<Token, 'id'>): string | null {
    return this.#seen.of(id);
  }

  /** Resolves when it is written when the tokens were used, or cannot be. */
  close(): Promise<void> {
    return this.#seen.close();
  }

  /** Calls the watcher for each token that is revoked, not when one expires. Returns a function that ends this. */
  watch(watcher: (tokenId: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Whether every token that was revoked anywhere is known to be. Until then no token should be looked at. */
  get isCurrent(): boolean {
    return this.#storage.isCurrent;
  }

  /** Resolves when it is. @throws StorageUnavailable when that takes too long */
  whenCurrent(): Promise<void> {
    return this.#storage.whenCurrent();
  }

  /** For how many milliseconds a token is still good. */
  leftMs({ expires_at }: Token): number {
    return expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at) - this.#storage.now();
  }

  /** The token of a secret. @throws AuthenticationDenied */
  authenticate(secret: string | undefined): Token {
    return this.#unexpired(this.#known.get(secret ?? '') ?? this.#find(secret));
  }

  /**
   * A token that was authenticated before, with the rights that it has now. A token whose revocation is being stored has
   * none, because what it asks for would be stored after its revocation.
   * @throws AuthenticationDenied, and StorageUnavailable while it is not known what was revoked
   */
  present({ id }: Pick<Token, 'id'>): Token {
    if (!this.isCurrent) throw new StorageUnavailable('nothing is heard of the other servers');
    const stored = this.#revoking.has(id) ? undefined : this.#tokens.get(id);
    if (stored === undefined) throw new AuthenticationDenied('not_found');
    return this.#unexpired(stored.token);
  }

  /** The token of a secret that was good lately and still is. */
  known(secret: string): Token | undefined {
    const token = this.#known.get(secret);
    return token === undefined || this.#isExpired(token) ? undefined : token;
  }

  #unexpired(token: Token): Token {
    if (this.#isExpired(token)) throw new AuthenticationDenied('expired');
    return token;
  }

  #isExpired(token: Token): boolean {
    return token.expires_at !== null && this.leftMs(token) <= 0;
  }

  #find(secret: string | undefined): Token {
    if (secret === undefined || !isUuid(secret)) throw new AuthenticationDenied('invalid_argument');
    const given = digest(secret.toLowerCase());
    const found = this.#bySha256.get(given);
    if (found === undefined || !sameDigest(given, found.sha256)) throw new AuthenticationDenied('not_found');
    this.#known.set(secret, found.token);
    return found.token;
  }

  #add(stored: StoredToken): void {
    this.#tokens.set(stored.token.id, stored);
    this.#bySha256.set(stored.sha256, stored);
  }

  #describe({
    role,
    description = '',
    twin_ids = null,
    expires_at = null,
  }: Parameters<Tokens['create']>[0]): Token {
    return {
      id: randomUUID(),
      role,
      description,
      twin_ids,
      created_at: new Date(this.#storage.now()).toISOString(),
      expires_at,
    };
  }
}

function storedIn(id: string, { data }: StoredDocument): StoredToken {
  const { sha256, twin_ids = null, ...token } = JSON.parse(data) as TokenRecord;
  return { token: { id, ...token, twin_ids }, sha256, given: false };
}

/** The same id at each start, so that the log and the known clients mean the same token. It does not tell the secret. */
const idOfGiven = (secret: string): string =>
  digest(`the id of ${secret}`).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');

/** @throws TokenNotFound, LastOwnerToken */
function refuseLastOwner(tokens: Documents, id: string): void {
  const revoked = tokens.get(id);
  if (revoked === undefined) throw new TokenNotFound(id);
  if (!keepsOwnerIn(revoked)) return;
  for (const [other, document] of tokens) if (other !== id && keepsOwnerIn(document)) return;
  throw new LastOwnerToken();
}

/** Whether this token alone would let an owner do everything after any restart. */
function keepsOwnerIn({ data }: StoredDocument): boolean {
  const { role, twin_ids = null, expires_at } = JSON.parse(data) as TokenRecord;
  return role === 'owner' && twin_ids === null && expires_at === null;
}
