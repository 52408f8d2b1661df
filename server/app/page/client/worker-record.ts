/**
 * What the service worker needs while the app is closed: it cannot read the page's storage. It is kept from the press that
 * subscribes this phone until the phone unsubscribes or is no longer paired. Any script that could read it here could also
 * read the token in the page's storage.
 */

import type { Role } from '../state/app.js';

export interface WorkerRecord {
  /** `/iot/v1/regions/…` */
  readonly base: string;
  readonly token: string;
  /** Undefined while the server has not said it. */
  readonly role: Role | undefined;
  /** The subscription's id at the server. */
  readonly subscriptionId: string;
}

const DATABASE = 'alarm-twin';
const STORE = 'worker';
const KEY = 'push';

export const remember = (record: WorkerRecord): Promise<unknown> =>
  withStore('readwrite', (store) => store.put(record, KEY));

export const forget = (): Promise<unknown> => withStore('readwrite', (store) => store.delete(KEY));

/** Undefined where the phone is not subscribed, or the browser keeps nothing for this page. */
export const recallRecord = async (): Promise<WorkerRecord | undefined> =>
  withStore<WorkerRecord | undefined>('readonly', (store) => store.get(KEY)).catch(() => undefined);

async function withStore<T>(
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await resultOf(opening);
  try {
    return await resultOf(use(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
