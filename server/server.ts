import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { Tokens } from './access/tokens.js';
import type { Settings } from './config.js';
import { Devices } from './devices/devices.js';
import { startMqtt } from './mqtt/listener.js';
import { startRest } from './rest/rest.js';
import { putDocument } from './storage/ask.js';
import { openStorage } from './storage/journaled.js';
import type { Storage } from './storage/storage.js';
import { isTwinFile, Twins } from './twins/twins.js';

export interface Server {
  /** host:port */
  readonly http: string;
  /** host:port */
  readonly mqtt: string;
  /** The owner token that was made because there was none: it can be shown this once. */
  readonly newToken: string | undefined;
  /** No new work, answers out, journal flushed. */
  close(): Promise<void>;
}

/** Opens all parts, each upon the one before. What opens before a part that fails is closed again. */
export async function startServer(settings: Settings, log: Logger): Promise<Server> {
  const closers: (() => Promise<void>)[] = [];
  const endpoints: (() => Promise<void>)[] = [];
  const close = async () => {
    await Promise.all(endpoints.splice(0).map((end) => end()));
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const storage = await openStorage(settings, log, isTwinFile);
    closers.push(() => storage.close());
    const tokens = await Tokens.open(storage, settings.token);
    const newToken = tokens.list().length > 0 ? undefined : (await tokens.create({ role: 'owner' })).secret;
    const hub = await openHub(storage);
    const twins = new Twins(storage);
    const devices = new Devices(storage, {
      region: settings.region,
      hubId: hub.id,
      onError: (error) => log.error({ err: error }, "a device's last activity could not be kept"),
    });
    closers.push(() => devices.close());
    const mqtt = startMqtt({ twins, devices, settings, log });
    endpoints.push(() => mqtt.close());
    const plainMqtt = show(await mqtt.listen(settings.mqtt));
    const rest = startRest({
      twins,
      devices,
      tokens,
      hub: { ...hub, region: settings.region, endpoint: plainMqtt },
      isHealthy: () => storage.healthy,
      settings,
      log,
    });
    endpoints.push(() => rest.close());
    const plainHttp = await rest.listen(settings.http);
    return { http: show(plainHttp.address), mqtt: plainMqtt, newToken, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const show = ({ address, family, port }: AddressInfo): string =>
  family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;

const HUB = { file: 'server', key: 'hub' };

/** The hub's identity, made at the first start. */
async function openHub(storage: Storage): Promise<{ id: string; createdAt: string }> {
  const file = await storage.open(HUB.file);
  const known = file.documents.get(HUB.key);
  if (known !== undefined)
    return { ...(JSON.parse(known.data) as { id: string }), createdAt: known.updatedAt };
  const [id, createdAt] = [randomUUID(), new Date().toISOString()];
  const document = { version: 1, updatedAt: createdAt, data: JSON.stringify({ id }) };
  await putDocument(storage, file, HUB.key, document);
  return { id, createdAt };
}
