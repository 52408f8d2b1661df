import { randomUUID } from 'node:crypto';
import { isDeviceId } from '../../shared/document.js';
import type { Author } from '../access/author.js';
import { digest, makePassword, sameDigest } from '../access/secret.js';
import {
  changeFile,
  type ForeignChange,
  putDocument,
  readDocuments,
  removeDocument,
  type Storage,
  type StoredDocument,
} from '../storage/storage.js';
import type { KeyType } from '../tls/key-pair.js';
import type { Answer, Twins } from '../twins/twins.js';
import { Watchers } from '../watchers.js';
import { Catalog, recordIn } from './catalog.js';
import type { Device, DeviceChanges, DeviceRecord, NewDevice } from './device.js';
import { type DeviceQuery, EVERYTHING } from './listing.js';
import { type Elsewhere, Presence } from './presence.js';

export class DeviceNotFound extends Error {
  override name = 'DeviceNotFound';
  constructor(readonly deviceId: string) {
    super('device not found');
  }
}

/** Why a device loses its connections. */
export type Revocation = 'disabled' | 'deleted' | 'credentials' | 'insecure';

/** A client certificate and its key, in PEM. */
export interface IssuedCertificate {
  certificate: { crt: string; key: string };
  /** SHA-256 of the certificate, in hexadecimal digits. */
  sha256: string;
}

/** The credentials of a device. The server does not keep them, so they are shown only once. */
export interface Credentials {
  certificate: IssuedCertificate['certificate'];
  password: string;
}

/** Makes a certificate for a device. */
type Certify = (deviceId: string, keyType: KeyType) => Promise<IssuedCertificate>;

type Edit = (record: DeviceRecord) => DeviceRecord;

const FOLDER = 'devices/';

/** The removals that have begun and not ended, so that the next start finishes them. */
const REMOVALS = 'removals';

// The password of an unknown id is compared with this, so that it takes as long as for a known id.
const NO_PASSWORD = digest('');

/**
 * The device registry. Each device is one document in one of 256 files, by the first two digits of its id. So 100,000
 * devices cost nothing at the start, and a CONNECT or a change reads or writes a file of about 400. Only `list` and
 * `count` read all files.
 *
 * Every call may reject with StorageUnavailable. A change also rejects with what its author's `judge` throws.
 */
export class Devices {
  /** Which devices are connected, and when each was heard last. */
  readonly presence: Presence;
  readonly #storage: Storage;
  readonly #catalog: Catalog;
  readonly #twins: Pick<Twins, 'clear'>;
  readonly #place: Pick<Device, 'hub_id' | 'region'>;
  readonly #certify: Certify;
  readonly #removals = new Map<string, Promise<void>>();
  readonly #watchers = new Set<(id: string, why: Revocation) => void>();
  readonly #changes = new Watchers<Device>();

  /** @param twins those of the devices. A twin is cleared when its device is removed. */
  constructor(
    storage: Storage,
    twins: Pick<Twins, 'clear'>,
    {
      region,
      hubId,
      certify,
      onError,
      heardEveryMs,
      elsewhere,
      node,
    }: {
      region: string;
      hubId: string;
      certify: Certify;
      /** Called when the time of a device's last activity could not be written. */
      onError?: (error: Error) => void;
      /** See HEARD_EVERY_MS. Only tests change it. */
      heardEveryMs?: number | undefined;
      /** The devices that are connected to other servers. */
      elsewhere?: Elsewhere | undefined;
      /** The id of this server, when others share the storage. */
      node?: string | undefined;
    },
  ) {
    this.#storage = storage;
    this.#catalog = new Catalog(storage, FOLDER);
    storage.watchAll(FOLDER, (change) => this.#changedElsewhere(change));
    this.#twins = twins;
    this.#place = { hub_id: hubId, region };
    this.#certify = certify;
    this.presence = new Presence(storage, { onError, heardEveryMs, elsewhere, node });
  }

  /** A new device, enabled. */
  async create(input: NewDevice, author?: Author): Promise<{ device: Device } & Credentials> {
    const id = randomUUID();
    const { credentials, digests } = await this.#newCredentials(id, 'ecdsa');
    const made = await changeFile(this.#storage, shardOf(id), (_, now) => {
      author?.judge();
      const record: DeviceRecord = {
        name: input.name,
        description: input.description ?? '',
        status: 'enabled',
        allow_insecure: input.allow_insecure ?? false,
        allow_multiple_connections: input.allow_multiple_connections ?? false,
        created_at: now,
        updated_at: now,
        ...digests,
      };
      return { key: id, document: stored(1, record) };
    });
    this.#catalog.changed(id, made?.document);
    return { device: await this.get(id), ...credentials };
  }

  /**
   * Answers whether the device exists. A device that is being removed does not. It takes a callback, because every
   * write by REST calls it, and answers before it returns when the registry's file is in memory.
   */
  has(id: string, answer: Answer<boolean>): void {
    this.#storage.read(shardOf(id), (documents) => documents.has(id) && !this.#removals.has(id), answer);
  }

  /** Whether the device is being removed. */
  isGoing(id: string): boolean {
    return this.#removals.has(id);
  }

  /** @throws DeviceNotFound */
  async get(id: string): Promise<Device> {
    const record = await this.#find(id);
    if (record === undefined) throw new DeviceNotFound(id);
    return this.#show(id, record);
  }

  async count(): Promise<number> {
    return (await this.#catalog.current()).size;
  }

  /** The devices that the query selects, and how many match in all. An empty query selects all devices. */
  async list(asked: Partial<DeviceQuery> = {}): Promise<{ devices: Device[]; total: number }> {
    const listing = await this.#catalog.current();
    const query = { ...EVERYTHING, ...asked };
    const { ids, total } = await listing.select(this.#removals.size === 0 ? query : this.#without(query));
    const found = await Promise.all(ids.map((id) => this.#shown(id)));
    return { devices: found.filter((device) => device !== undefined), total };
  }

  /** The same without the devices that are being removed. */
  #without({ matching, ...query }: DeviceQuery): DeviceQuery {
    return {
      ...query,
      matching: (device) => !this.#removals.has(device.id) && (matching?.(device) ?? true),
    };
  }

  /** Closes the device's connections when it may no longer use a password. @throws DeviceNotFound */
  async update(id: string, changes: DeviceChanges, author?: Author): Promise<Device> {
    let wasInsecure = false;
    const device = await this.#change(id, author, (record) => {
      wasInsecure = record.allow_insecure;
      return { ...record, ...changes };
    });
    if (!wasInsecure || device.allow_insecure) return device;
    await this.#revokeEverywhere(id, 'insecure');
    return this.get(id);
  }

  /** @throws DeviceNotFound */
  enable(id: string, author?: Author): Promise<Device> {
    return this.#change(id, author, (record) => ({ ...record, status: 'enabled' }));
  }

  /** Closes the device's connections. @throws DeviceNotFound */
  async disable(id: string, author?: Author): Promise<Device> {
    await this.#change(id, author, (record) => ({ ...record, status: 'disabled' }));
    await this.#revokeEverywhere(id, 'disabled');
    return this.get(id);
  }

  /** Replaces certificate and password, and closes the device's connections. @throws DeviceNotFound */
  async renew(
    id: string,
    keyType: KeyType = 'ecdsa',
    author?: Author,
  ): Promise<{ device: Device } & Credentials> {
    if ((await this.#find(id)) === undefined) throw new DeviceNotFound(id);
    const { credentials, digests } = await this.#newCredentials(id, keyType);
    await this.#change(id, author, (record) => ({ ...record, ...digests }));
    await this.#revokeEverywhere(id, 'credentials');
    return { device: await this.get(id), ...credentials };
  }

  /**
   * Deletes a device with its twin and closes its connections. The device's record is removed last. When a step fails,
   * the device still exists, disabled, and the call can be repeated. The next start repeats it, unless the device was
   * changed meanwhile.
   * @throws DeviceNotFound
   */
  async remove(id: string, author?: Author): Promise<void> {
    if ((await this.#find(id)) === undefined) throw new DeviceNotFound(id);
    await readDocuments(this.#storage, REMOVALS);
    author?.judge();
    return this.#removing(id, () => putDocument(this.#storage, REMOVALS, id, '{}'));
  }

  /**
   * Begins to finish the removals that a crash cut off. Those devices do not exist any more.
   * @param onError called when one cannot be finished now
   */
  async resumeRemovals(onError: (error: Error) => void): Promise<void> {
    for (const id of (await readDocuments(this.#storage, REMOVALS)).keys())
      this.#removing(id, async () => undefined).catch(onError);
  }

  #removing(id: string, begin: () => Promise<unknown>): Promise<void> {
    const known = this.#removals.get(id);
    if (known !== undefined) return known;
    const removal = begin()
      .then(() => this.#remove(id))
      .finally(() => this.#removals.delete(id));
    this.#removals.set(id, removal);
    return removal;
  }

  /** Each step may have been done before. */
  async #remove(id: string): Promise<void> {
    if ((await this.#find(id)) !== undefined) {
      await this.#edit(id, (record) => ({ ...record, status: 'disabled' }));
    }
    await this.#revokeEverywhere(id, 'deleted');
    await new Promise<void>((done, failed) => {
      this.#twins.clear(id, (error) => (error === null ? done() : failed(error)));
    });
    await this.presence.forget(id);
    await removeDocument(this.#storage, shardOf(id), id);
    this.#catalog.changed(id);
    await removeDocument(this.#storage, REMOVALS, id);
  }

  /** The device, when id and password are right. A wrong id takes as long as a wrong password. */
  async authenticate(id: string, password: Uint8Array): Promise<Device | undefined> {
    const given = digest(password);
    const record = await this.#find(id);
    const right = sameDigest(given, record?.password_sha256 ?? NO_PASSWORD);
    return right && record !== undefined ? this.#show(id, record) : undefined;
  }

  /** The device, when this is the SHA-256 of its present certificate. The client has proved that it has the key. */
  async certified(id: string, sha256: string): Promise<Device | undefined> {
    const record = await this.#find(id);
    return record?.certificate_sha256 === sha256 ? this.#show(id, record) : undefined;
  }

  /** Calls the watcher when a device must lose its connections. Returns a function that ends this. */
  watch(watcher: (id: string, why: Revocation) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Calls the watcher with each device that was changed, as it is now. Returns a function that ends this. */
  watchChanges(watcher: (device: Device) => void): () => void {
    return this.#changes.addToAll(watcher);
  }

  #revoke(id: string, why: Revocation): void {
    for (const watcher of this.#watchers) watcher(id, why);
  }

  /** Resolves when the other servers have ended the connections of the device too. */
  #revokeEverywhere(id: string, why: Revocation): Promise<void> {
    this.#revoke(id, why);
    return this.#storage.agree(shardOf(id));
  }

  /** Another server has changed a device: its connections here must go as they would have gone there. */
  #changedElsewhere({ key: id, before, after }: ForeignChange): void {
    if (after === undefined) return this.#revoke(id, 'deleted');
    const [was, is] = [before && recordIn(before), recordIn(after)];
    const why = is.status === 'enabled' ? revocationOf(was, is) : 'disabled';
    if (why !== undefined) this.#revoke(id, why);
    if (was !== undefined) this.#show(id, is).then((device) => this.#changes.tell(id, device), ignore);
  }

  async #newCredentials(id: string, keyType: KeyType) {
    const password = makePassword();
    const { certificate, sha256 } = await this.#certify(id, keyType);
    return {
      credentials: { certificate, password },
      digests: { password_sha256: digest(password), certificate_sha256: sha256 },
    };
  }

  async #find(id: string): Promise<DeviceRecord | undefined> {
    if (!isDeviceId(id)) return undefined;
    const document = (await readDocuments(this.#storage, shardOf(id))).get(id);
    return document && recordIn(document);
  }

  /** Changes a device, unless it is being removed. @throws DeviceNotFound */
  async #change(id: string, author: Author | undefined, edit: Edit): Promise<Device> {
    const admit = () => {
      author?.judge();
      if (this.#removals.has(id)) throw new DeviceNotFound(id);
    };
    // A removal that failed is not repeated at the next start, because the device is in use again.
    await removeDocument(this.#storage, REMOVALS, id, admit);
    return this.#edit(id, edit, admit);
  }

  async #edit(id: string, edit: Edit, admit = () => {}): Promise<Device> {
    const done = await changeFile(this.#storage, shardOf(id), (latest, now) => {
      admit();
      const present = latest.get(id);
      if (present === undefined) throw new DeviceNotFound(id);
      const record = { ...edit(recordIn(present)), updated_at: now };
      return { key: id, document: stored(present.version + 1, record) };
    });
    this.#catalog.changed(id, done?.document);
    const device = await this.#show(id, recordIn(done?.document as StoredDocument));
    this.#changes.tell(id, device);
    return device;
  }

  async #shown(id: string): Promise<Device | undefined> {
    const record = await this.#find(id);
    return record && this.#show(id, record);
  }

  async #show(
    id: string,
    { password_sha256: _, certificate_sha256: __, ...record }: DeviceRecord,
  ): Promise<Device> {
    return {
      id,
      ...record,
      ...this.#place,
      last_activity_at: await this.presence.lastActivityAt(id),
      is_connected: this.presence.isConnected(id),
      has_custom_certificate: false,
    };
  }
}

/** Why the connections of an enabled device must end. A change of a device that was not known here ends them too. */
function revocationOf(was: DeviceRecord | undefined, is: DeviceRecord): Revocation | undefined {
  if (was === undefined) return is.updated_at === is.created_at ? undefined : 'credentials';
  if (was.password_sha256 !== is.password_sha256 || was.certificate_sha256 !== is.certificate_sha256)
    return 'credentials';
  return was.allow_insecure && !is.allow_insecure ? 'insecure' : undefined;
}

/** The device was read for those who show it. They read it again. */
const ignore = (): void => undefined;

const stored = (version: number, record: DeviceRecord): StoredDocument => ({
  version,
  updatedAt: record.updated_at,
  data: JSON.stringify(record),
});

/** The registry's file for a device. */
export const shardOf = (id: string): string => `${FOLDER}${id.slice(0, 2)}`;
