import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { isObject, type JsonObject } from '../../shared/document.js';
import type { Author } from '../access/author.js';
import type { Token, Tokens } from '../access/tokens.js';
import type { Storage } from '../storage/storage.js';
import { InvalidRequest } from '../twins/errors.js';
import { hostOf, isPrivate } from './request.js';
import { Shelf } from './shelf.js';
import { AUTH_BYTES, isPublicKey, newVapidKey, type VapidKey } from './web-push.js';

/** A phone's browser, as its push service knows it. */
interface Subscription {
  /** Made of the endpoint, so that a phone that subscribes again is the same. It has no dots. */
  readonly id: string;
  readonly endpoint: string;
  /** Raw, in base64url. */
  readonly p256dh: string;
  readonly auth: string;
  /** The key that it was made with. */
  readonly vapid: string;
  /** It ends with this token. */
  readonly token_id: string;
  /** RFC 3339. */
  readonly created_at: string;
}

export class SubscriptionNotFound extends Error {
  override name = 'SubscriptionNotFound';
  constructor(readonly subscriptionId: string) {
    super('subscription not found');
  }
}

/** How many phones there may be, and how many of one token. */
export const SUBSCRIPTION_LIMITS = { total: 1000, perToken: 20, endpointLength: 2048 };

/** The phones that get Web Push, and the keys by which push services know this server. */
export class Subscriptions {
  readonly #shelf: Shelf<Subscription>;
  readonly #keys: Shelf<VapidKey>;
  readonly #tokens: Pick<Tokens, 'present'>;
  readonly #allowPrivate: boolean;

  private constructor(
    shelf: Shelf<Subscription>,
    keys: Shelf<VapidKey>,
    tokens: Pick<Tokens, 'present'>,
    allowPrivate: boolean,
  ) {
    this.#shelf = shelf;
    this.#keys = keys;
    this.#tokens = tokens;
    this.#allowPrivate = allowPrivate;
  }

  /**
   * @param allowPrivate only for tests, whose push service is on the loopback
   * @throws StorageUnavailable
   */
  static async open(
    storage: Storage,
    tokens: Pick<Tokens, 'present' | 'watch'>,
    log: Logger,
    allowPrivate = false,
  ): Promise<Subscriptions> {
    const shelf = await Shelf.open<Subscription>(storage, 'alerts/subscriptions', log);
    const keys = await Shelf.open<VapidKey>(storage, 'alerts/vapid', log);
    const subscriptions = new Subscriptions(shelf, keys, tokens, allowPrivate);
    tokens.watch((tokenId) => subscriptions.#endOf(tokenId));
    return subscriptions;
  }

  /** The key for new subscriptions. It is made when it is first asked for. @throws StorageUnavailable */
  async key(): Promise<VapidKey> {
    const known = this.#keys.all.at(-1);
    if (known !== undefined) return known;
    const made = newVapidKey();
    // Another server may make one at the same time. The first one is for all.
    await this.#keys.change(made.id, (_, all) => (all().length === 0 ? made : undefined));
    return (await this.#keys.read()).at(-1) as VapidKey;
  }

  keyOf({ vapid }: Subscription): VapidKey | undefined {
    return this.#keys.get(vapid);
  }

  /** Undefined also when its token has ended: what still waits for the phone is not sent. */
  get(id: string): Subscription | undefined {
    const found = this.#shelf.get(id);
    return found !== undefined && this.#tokenOf(found.token_id) !== undefined ? found : undefined;
  }

  /** Those that may hear of a panel: their tokens are valid, and may read its twin. */
  of(panelId: string | null): Subscription[] {
    return this.#shelf.all.filter(({ token_id }) => {
      const token = this.#tokenOf(token_id);
      return token !== undefined && mayHear(token, panelId);
    });
  }

  /**
   * Adds the phone that a browser describes, or replaces what is known of it.
   * @param body `{"endpoint","keys":{"p256dh","auth"},"application_server_key"}`
   * @throws InvalidRequest, StorageUnavailable, and what the author's `judge` throws
   */
  async add(body: JsonObject, token: Token, author: Author): Promise<Subscription> {
    const endpoint = this.#endpointIn(body);
    const { p256dh, auth } = keysIn(body);
    const vapid = textIn(body, 'application_server_key');
    if (!(await this.#keys.read()).some(({ id }) => id === vapid))
      throw wrong('application_server_key', 'not a key of this server');
    const subscription: Subscription = {
      id: createHash('sha256').update(endpoint).digest('hex').slice(0, 32),
      endpoint,
      p256dh,
      auth,
      vapid,
      token_id: token.id,
      created_at: new Date().toISOString(),
    };
    const become = (known: Subscription | undefined, all: () => Subscription[]): Subscription => {
      if (known === undefined) refuseTooMany(all(), token);
      // The app says at each start which phone it is.
      return known !== undefined && isSame(known, subscription) ? known : subscription;
    };
    return (await this.#shelf.change(subscription.id, become, author)) as Subscription;
  }

  /** @throws SubscriptionNotFound when it is not of this token, StorageUnavailable */
  async own(id: string, token: Token): Promise<Subscription> {
    await this.#shelf.read();
    return ownOf(id, this.#shelf.get(id), token);
  }

  /** @throws SubscriptionNotFound when it is not of this token, StorageUnavailable */
  async remove(id: string, token: Token, author: Author): Promise<void> {
    const become = (latest: Subscription | undefined): undefined => void ownOf(id, latest, token);
    await this.#shelf.change(id, become, author);
  }

  /** The push service knows it no more. @throws StorageUnavailable */
  async gone(id: string): Promise<void> {
    await this.#shelf.remove(id);
  }

  #tokenOf(id: string): Token | undefined {
    try {
      return this.#tokens.present({ id });
    } catch {
      return undefined;
    }
  }

  #endOf(tokenId: string): void {
    for (const { id, token_id } of this.#shelf.all) {
      if (token_id === tokenId) this.#shelf.remove(id).catch(() => undefined);
    }
  }

  #endpointIn(body: JsonObject): string {
    const text = textIn(body, 'endpoint');
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'https:') throw wrong('endpoint', 'not a URL of https');
    if (url.username !== '' || url.password !== '') throw wrong('endpoint', 'a URL with a user name');
    if (text.length > SUBSCRIPTION_LIMITS.endpointLength) throw wrong('endpoint', 'too long');
    if (this.#allowPrivate) return text;
    const host = hostOf(url);
    const isLocal = isIP(host) === 0 ? !host.includes('.') : isPrivate(host);
    if (isLocal || (url.port !== '' && Number(url.port) < 1024)) {
      throw wrong('endpoint', 'not the address of a push service');
    }
    return text;
  }
}

/** @throws SubscriptionNotFound when it is not of this token */
function ownOf(id: string, found: Subscription | undefined, token: Token): Subscription {
  if (found?.token_id !== token.id) throw new SubscriptionNotFound(id);
  return found;
}

/** @throws InvalidRequest */
function refuseTooMany(all: readonly Subscription[], { id }: Token): void {
  const ofToken = all.filter(({ token_id }) => token_id === id).length;
  if (ofToken < SUBSCRIPTION_LIMITS.perToken && all.length < SUBSCRIPTION_LIMITS.total) return;
  throw new InvalidRequest('endpoint', 'constraint', 'too many phones');
}

const isSame = (one: Subscription, other: Subscription): boolean =>
  JSON.stringify({ ...one, created_at: other.created_at }) === JSON.stringify(other);

const mayHear = ({ twin_ids }: Token, panelId: string | null): boolean =>
  twin_ids === null || (panelId !== null && twin_ids.includes(panelId));

const wrong = (name: string, help: string) => new InvalidRequest(name, 'format', help);

function textIn(body: JsonObject, name: string): string {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (typeof value !== 'string') throw wrong(name, 'not a text');
  return value;
}

function keysIn({ keys }: JsonObject): { p256dh: string; auth: string } {
  if (!isObject(keys)) throw wrong('keys', 'not an object');
  const [p256dh, auth] = [textIn(keys, 'p256dh'), textIn(keys, 'auth')];
  if (!isPublicKey(Buffer.from(p256dh, 'base64url'))) throw wrong('keys.p256dh', 'not a public key');
  if (Buffer.from(auth, 'base64url').length !== AUTH_BYTES)
    throw wrong('keys.auth', `not ${AUTH_BYTES} bytes`);
  return { p256dh, auth };
}
