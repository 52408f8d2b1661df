/** Puts the parts of the bridge to Home Assistant together. Only a server with that setting loads this file. */

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { SettingError, type Settings } from '../config.js';
import type { Devices } from '../devices/devices.js';
import type { Leadership } from '../leadership.js';
import type { Storage } from '../storage/storage.js';
import type { Twins } from '../twins/twins.js';
import { Bridges } from './bridges.js';
import type { Form } from './entities.js';
import { Memory } from './memory.js';
import type { Broker, SESSION_LIMITS } from './session.js';

export type HomeAssistantLimits = typeof SESSION_LIMITS;

interface Parts {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly twins: Twins;
  readonly devices: Devices;
  readonly leadership: Leadership;
  readonly linkOf: (panelId: string) => string;
  readonly log: Logger;
  readonly limits?: Partial<HomeAssistantLimits> | undefined;
}

/** They begin at `begin`. @throws SettingError, StorageUnavailable */
export async function openBridge({ settings, storage, ...parts }: Parts, broker: Broker): Promise<Bridges> {
  const memory = new Memory(storage);
  return new Bridges({
    ...parts,
    broker: { ...broker, ...(await authorityIn(settings.homeassistantCa)) },
    place: {
      instance: await memory.instance(),
      prefix: settings.homeassistantPrefix,
      base: settings.homeassistantTopic,
    },
    form: settings.homeassistantForm as Form,
    code: settings.homeassistantCode,
    memory,
  });
}

async function authorityIn(path: string): Promise<Pick<Broker, 'ca'>> {
  if (path === '') return {};
  try {
    const ca = await readFile(path, 'utf8');
    createSecureContext({ ca });
    if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate in PEM');
    return { ca };
  } catch (error) {
    throw new SettingError(`TWIN_HOMEASSISTANT_CA=${path}: ${(error as Error).message}`);
  }
}
