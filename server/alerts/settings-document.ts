import type { Logger } from 'pino';
import type { Storage } from '../storage/storage.js';
import { type AlertSettings, NO_SETTINGS, type SettingsPlace } from './settings.js';
import { Shelf } from './shelf.js';

interface Kept {
  readonly id: string;
  readonly settings: AlertSettings;
}

const ID = 'settings';

/** A document of the storage, which all its servers follow. @throws StorageUnavailable */
export async function openSettingsDocument(storage: Storage, log: Logger): Promise<SettingsPlace> {
  const shelf = await Shelf.open<Kept>(storage, 'alerts/settings', log);
  return {
    get present() {
      return shelf.get(ID)?.settings ?? NO_SETTINGS;
    },
    read: () => shelf.read(),
    async change(change) {
      const kept = await shelf.change(ID, (latest) => ({
        id: ID,
        settings: change(latest?.settings ?? NO_SETTINGS),
      }));
      return (kept as Kept).settings;
    },
    watch: (watcher) => void shelf.watch(watcher),
  };
}
