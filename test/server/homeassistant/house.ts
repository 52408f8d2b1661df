/** A server's core in this process with a bridge to a broker, and panels that report. */

import { type Logger, pino } from 'pino';
import { readSettings } from '../../../server/config.js';
import { Devices } from '../../../server/devices/devices.js';
import type { Bridges } from '../../../server/homeassistant/bridges.js';
import { type HomeAssistantLimits, openBridge } from '../../../server/homeassistant/open.js';
import { alone, type Leadership } from '../../../server/leadership.js';
import { memoryStorage } from '../../../server/storage/memory.js';
import type { Storage } from '../../../server/storage/storage.js';
import { Twins } from '../../../server/twins/twins.js';
import { CURRENT, type CurrentDocument, DESIRED, type DesiredDocument } from '../../../shared/panel.js';
import { certify } from '../devices/certify.js';

export const LIMITS: Partial<HomeAssistantLimits> = { backOffMin: 10, backOffMax: 40 };

export const DISARMED: CurrentDocument = {
  alarm_armed: false,
  siren_ringing: false,
  door_open: false,
  state: 'disarmed',
  mode: 'away',
  handled: 0,
  contacts: { 'front door': { open: false, kind: 'entry' }, window: { open: false, kind: 'instant' } },
};

export interface House {
  readonly storage: Storage;
  readonly twins: Twins;
  readonly devices: Devices;
  readonly bridge: Bridges;
  /** What the bridge has logged. */
  readonly lines: string[];
  /** A panel that is connected and has reported. */
  panel(name: string, current?: CurrentDocument): Promise<string>;
  report(id: string, current: CurrentDocument): Promise<void>;
  desired(
    id: string,
  ): Promise<{ data: DesiredDocument; version: number; by: string | undefined } | undefined>;
}

export interface HouseOptions {
  readonly storage?: Storage;
  readonly leadership?: Leadership;
  readonly env?: Record<string, string>;
  readonly limits?: Partial<HomeAssistantLimits>;
}

export async function house(
  url: string,
  { storage = memoryStorage(), leadership = alone, env = {}, limits = LIMITS }: HouseOptions = {},
): Promise<House> {
  const twins = new Twins(storage);
  const devices = new Devices(storage, twins, { region: 'r', hubId: 'h', certify });
  const lines: string[] = [];
  const log: Logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const settings = readSettings({ TWIN_HOMEASSISTANT: url, ...env });
  const linkOf = (id: string): string => `https://alarm.example/#panel=${id}`;
  const bridge = await openBridge(
    { settings, storage, twins, devices, leadership, linkOf, log, limits },
    settings.homeassistant as NonNullable<typeof settings.homeassistant>,
  );
  const report = (id: string, current: CurrentDocument): Promise<void> =>
    new Promise((done, failed) => {
      const data = JSON.parse(JSON.stringify(current));
      twins.put(id, CURRENT, { version: 0, data }, (error) => (error === null ? done() : failed(error)));
    });
  return {
    storage,
    twins,
    devices,
    bridge,
    lines,
    report,
    async panel(name, current = DISARMED) {
      const { id } = (await devices.create({ name })).device;
      devices.presence.connected(id);
      await report(id, current);
      return id;
    },
    desired: (id) =>
      new Promise((done) => {
        twins.get(id, DESIRED, (_, document) =>
          done(
            document && {
              data: JSON.parse(document.data),
              version: document.version,
              by: document.updatedBy,
            },
          ),
        );
      }),
  };
}
