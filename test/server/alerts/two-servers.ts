/** Servers with alerts on one storage in memory. A test says which of them leads. */

import { pino } from 'pino';
import { Tokens } from '../../../server/access/tokens.js';
import type { Alerts } from '../../../server/alerts/alerts.js';
import type { Clock } from '../../../server/alerts/clock.js';
import { type AlertLimits, openAlerts } from '../../../server/alerts/open.js';
import { parseSettings } from '../../../server/alerts/settings.js';
import { openSettingsDocument } from '../../../server/alerts/settings-document.js';
import type { Subscriptions } from '../../../server/alerts/subscriptions.js';
import { Devices } from '../../../server/devices/devices.js';
import { Twins } from '../../../server/twins/twins.js';
import type { JsonObject } from '../../../shared/document.js';
import { certify } from '../devices/certify.js';
import { type Elected, elected } from '../elected.js';
import { type Party, type SharedMemory, sharedMemory } from '../storage/shared-memory.js';
import { type Receiver, startReceiver } from './receiver.js';

export interface Node {
  readonly storage: Party;
  readonly twins: Twins;
  readonly devices: Devices;
  readonly alerts: Alerts;
  readonly subscriptions: Subscriptions;
  readonly leadership: Elected;
  /** The panel reports this to this server, besides what a quiet panel says. */
  report(id: string, said: object): Promise<void>;
}

export interface Servers {
  readonly shared: SharedMemory;
  readonly receiver: Receiver;
  readonly nodes: Node[];
  /** Of all servers. */
  readonly clock: Clock;
  /** Lets so many milliseconds pass for all servers. Their timers go on as they are. */
  pass(ms: number): void;
  /** A further server. It does not lead. */
  join(): Promise<Node>;
  /** A panel that is connected, as all servers know. */
  panel(name: string): Promise<string>;
  close(): Promise<void>;
}

const PLAIN = { alarm_armed: false, siren_ringing: false, door_open: false };

const LIMITS: Partial<AlertLimits> = { graceMs: 0, firstPauseMs: 1, longestPauseMs: 4, inDoubtMs: 60_000 };

/** The servers begin with one channel, a webhook to the receiver. */
export async function startServers(limits: Partial<AlertLimits> = {}): Promise<Servers> {
  const shared = sharedMemory();
  const receiver = await startReceiver();
  const log = pino({ level: 'silent' });
  const nodes: Node[] = [];
  let passed = 0;
  const clock = { now: () => Date.now() + passed, elapsed: () => performance.now() + passed };
  const channels = [{ id: 'hook', type: 'webhook', url: receiver.url, allow_private: true }];
  const firstSettings = await openSettingsDocument(shared.join(), log);
  await firstSettings.change(() => parseSettings({ channels, rules: { unreachable_after: 0 } }));
  const present = new Set<string>();

  async function join(): Promise<Node> {
    const storage = shared.join();
    const twins = new Twins(storage);
    const devices = new Devices(storage, twins, { region: 'r', hubId: 'h', certify });
    const leadership = elected();
    const { alerts, subscriptions } = await openAlerts({
      storage,
      settings: await openSettingsDocument(storage, log),
      leadership,
      twins,
      devices,
      tokens: await Tokens.open(storage),
      linkOf: () => '',
      log,
      clock,
      limits: { ...LIMITS, ...limits },
    });
    const report = (id: string, said: object): Promise<void> =>
      new Promise((done, failed) => {
        const data = { ...PLAIN, ...said } as JsonObject;
        twins.put(id, 'current', { version: 0, data }, (error) => (error === null ? done() : failed(error)));
      });
    const node = { storage, twins, devices, alerts, subscriptions, leadership, report };
    for (const id of present) devices.presence.connected(id);
    nodes.push(node);
    alerts.begin();
    return node;
  }

  return {
    shared,
    receiver,
    nodes,
    clock,
    pass(ms) {
      passed += ms;
    },
    join,
    async panel(name) {
      const [node] = nodes;
      const { id } = (await (node as Node).devices.create({ name })).device;
      present.add(id);
      for (const { devices } of nodes) devices.presence.connected(id);
      return id;
    },
    async close() {
      await receiver.close();
      for (const { leadership } of nodes) leadership.lead(false);
    },
  };
}

export const ringing = (...contacts: string[]) => ({
  alarm_armed: true,
  siren_ringing: true,
  last_alarm: { contacts },
});

export const titles = ({ receiver }: Pick<Servers, 'receiver'>): string[] =>
  receiver.received.map(({ body }) => JSON.parse(body).title as string);

/** The leadership goes from one server to another in an orderly way. */
export function handOver(from: Node, to: Node): void {
  from.leadership.lead(false);
  to.leadership.lead(true);
}
