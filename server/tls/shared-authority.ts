import { changeFile, readDocuments, type Storage } from '../storage/storage.js';
import { parseAuthority } from './authority.js';
import type { AuthorityKeeper } from './authority-keeper.js';
import { KeyPairUnusable } from './key-pair.js';
import { type Sealed, seal, unseal } from './seal.js';

const FILE = 'authority';
const KEY = 'authority';

/** How it is stored. Without a secret it is stored as it is. */
type Stored = { readonly sealed: Sealed } | { readonly pem: string };

/**
 * A storage that servers share, so that they have one authority: a device that trusts one of them trusts all. The first
 * server makes it, and the others take it.
 * @param secret seals it, unless it is empty. One that was stored without a secret is sealed as soon as there is one.
 * @param own where this server kept its authority before it shared the storage. The first server brings it along.
 */
export function sharedKeeper(storage: Storage, secret: string, own: AuthorityKeeper): AuthorityKeeper {
  const place = 'the authority in the database';
  const dataOf = async (pem: string): Promise<string> =>
    JSON.stringify((secret === '' ? { pem } : { sealed: await seal(pem, secret) }) satisfies Stored);

  async function find(): Promise<{ pem: string; version: number } | undefined> {
    const document = (await readDocuments(storage, FILE)).get(KEY);
    if (document === undefined) return undefined;
    const stored = JSON.parse(document.data) as Stored;
    const pem = 'pem' in stored ? stored.pem : await opened(stored.sealed);
    if ('pem' in stored && secret !== '') await put(pem, document.version);
    return { pem, version: document.version };
  }

  /** Puts the next version, unless another server has done that. */
  async function put(pem: string, version: number): Promise<void> {
    const data = await dataOf(pem);
    await changeFile(storage, FILE, (latest, updatedAt) =>
      (latest.get(KEY)?.version ?? 0) === version
        ? { key: KEY, document: { version: version + 1, updatedAt, data } }
        : undefined,
    );
  }

  async function opened(sealed: Sealed): Promise<string> {
    if (secret === '')
      throw new KeyPairUnusable(`${place} is sealed: set the TWIN_AUTHORITY_SECRET of the other servers`);
    const pem = await unseal(sealed, secret);
    if (pem === undefined) throw new KeyPairUnusable(`${place} is sealed with another TWIN_AUTHORITY_SECRET`);
    return pem;
  }

  async function keep(made: string): Promise<string> {
    await put(made, 0);
    return (await find())?.pem ?? made;
  }

  return {
    place,
    keep,
    async read() {
      const found = await find();
      if (found !== undefined) return found.pem;
      const before = await own.read();
      if (before === undefined) return undefined;
      parseAuthority(before, own.place);
      return keep(before);
    },
  };
}
