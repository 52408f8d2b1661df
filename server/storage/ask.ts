/** The storage's callbacks as promises, for what is not on the hot path. */

import type { Storage, StoredDocument, StoredFile } from './storage.js';

/** @throws StorageUnavailable */
export const putDocument = (
  storage: Storage,
  file: StoredFile,
  key: string,
  document: StoredDocument,
): Promise<void> =>
  new Promise((done, failed) => {
    storage.put(file, key, document, (error) => (error === null ? done() : failed(error)));
  });

/** @throws StorageUnavailable */
export const removeDocument = (storage: Storage, file: StoredFile, key: string): Promise<void> =>
  new Promise((done, failed) => {
    storage.remove(file, key, (error) => (error === null ? done() : failed(error)));
  });
