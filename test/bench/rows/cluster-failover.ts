import { setTimeout as after } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { requestTopic, responseTopic } from '../../../shared/topics.js';
import type { Bench } from '../bench.js';
import { countedBy, NEEDS, type Scene, startScene, startServers } from '../cluster/scene.js';
import { type Credentials, PAYLOAD } from '../load/mqtt.js';
import type { Row } from '../row.js';
import { createDevices, type Server } from '../server.js';

const UNIT = 'ms';
const SERVERS = 3;
const DEVICES = 48;
/** From a promotion to the next accepted write. */
const BACK_WITHIN_MS = 5000;
/** The pause of a device after each put, and after each failure. */
const PAUSE_MS = 20;
/** A device gives up on an answer after this time, and goes to another server. */
const PATIENCE_MS = 4000;

const DATABASES = 'a primary and two standbys; a commit waits for one of them; all programs share the cores';

/** A device that puts all the time, and goes to the next server when its server is gone. */
interface Device {
  /** Where it is connected, or tries to be. */
  server: Server;
  /** When its newest put that was accepted was answered, by `performance.now()`. */
  acceptedAt: number;
  isOver: boolean;
  readonly ended: Promise<void>;
}

/** From the kill of the leader, and from the promotion of a standby, to the puts that are accepted again. */
export const clusterFailover: Row = {
  name: 'cluster-failover',
  needs: NEEDS,
  async run(bench) {
    const scene = await startScene(bench, 2);
    let servers = await startServers(scene, SERVERS);
    const credentials = await createDevices(servers[0] as Server, DEVICES);
    const killed: Gap[] = [];
    const promoted: Gap[] = [];
    for (let round = 1; round <= bench.options.rounds; round += 1) {
      const leader = await leaderOf(scene, servers);
      killed.push(await underLoad(bench, credentials, servers, (devices) => killServer(devices, leader)));
      servers = [...servers.filter((server) => server !== leader), await scene.startServer()];
      promoted.push(await underLoad(bench, credentials, servers, (devices) => killPrimary(devices, scene)));
      await scene.databases.rejoin();
      const shown = [killed, promoted].map((gaps) => `${gaps.at(-1)?.last.toFixed(0)} ${UNIT}`).join(', ');
      bench.progress(`round ${round} of ${bench.options.rounds}: all served again after ${shown}`);
    }
    const firsts = (gaps: readonly Gap[]) => gaps.map(({ first }) => first);
    const lasts = (gaps: readonly Gap[]) => gaps.map(({ last }) => last);
    const shared = { unit: UNIT, counts: 'greatest', notes: [] as string[] } as const;
    const bar = { relation: '<=', limit: BACK_WITHIN_MS, on: 'server' } as const;
    const kill = 'kill -9 of the server that leads';
    const promotion = 'kill -9 of the primary, then the promotion of a standby';
    return [
      {
        ...shared,
        row: 'cluster-failover',
        what: `${kill} → a put of each of its devices is accepted at another server`,
        server: lasts(killed),
        notes: [DATABASES, `${DEVICES} devices at ${SERVERS} servers, which connect again at once`],
      },
      {
        ...shared,
        row: 'cluster-failover-first',
        what: `${kill} → a put of the first of them`,
        server: firsts(killed),
      },
      {
        ...shared,
        row: 'cluster-promotion',
        what: `${promotion} → the first put is accepted`,
        server: firsts(promoted),
        bar,
      },
      {
        ...shared,
        row: 'cluster-promotion-all',
        what: `${promotion} → a put of each device`,
        server: lasts(promoted),
        bar,
      },
    ];
  },
};

/** In milliseconds from the fault, or from its repair. */
interface Gap {
  readonly first: number;
  readonly last: number;
}

async function underLoad(
  bench: Bench,
  credentials: readonly Credentials[],
  servers: readonly Server[],
  fault: (devices: readonly Device[]) => Promise<Gap>,
): Promise<Gap> {
  const devices = credentials.map((each, index) => startDevice(each, servers, index % servers.length));
  const stop = async () => {
    for (const device of devices) device.isOver = true;
    await Promise.all(devices.map(({ ended }) => ended));
  };
  bench.atClose(stop);
  await acceptedSince(devices, performance.now());
  await after(1000 * Math.min(1, bench.options.seconds));
  const gap = await fault(devices);
  await stop();
  return gap;
}

async function killServer(devices: readonly Device[], leader: Server): Promise<Gap> {
  const its = devices.filter(({ server }) => server === leader);
  const killed = performance.now();
  await leader.program.kill();
  return acceptedSince(its, killed, (device) => device.server !== leader);
}

async function killPrimary(devices: readonly Device[], { databases }: Scene): Promise<Gap> {
  await databases.killPrimary();
  const began = performance.now();
  const promotion = databases.promote();
  const gap = await acceptedSince(devices, began);
  await promotion;
  return gap;
}

/** Waits until a put of each device was accepted after this time. */
async function acceptedSince(
  devices: readonly Device[],
  time: number,
  counts: (device: Device) => boolean = () => true,
): Promise<Gap> {
  const gaps = new Map<Device, number>();
  while (gaps.size < devices.length) {
    await after(1);
    for (const device of devices)
      if (!gaps.has(device) && device.acceptedAt > time && counts(device))
        gaps.set(device, device.acceptedAt - time);
  }
  return { first: Math.min(...gaps.values()), last: Math.max(...gaps.values()) };
}

/** @returns the server that leads, when one of those that run does */
async function leaderOf(scene: Scene, servers: readonly Server[]): Promise<Server> {
  for (;;) {
    const leader = await scene.ask('SELECT node_id FROM leader');
    const nodes = await Promise.all(
      servers.map(async (server) => ({ server, ...(await countedBy(server)) })),
    );
    const found = nodes.find(({ node }) => node === leader);
    if (found !== undefined) return found.server;
    await after(PAUSE_MS);
  }
}

function startDevice(credentials: Credentials, servers: readonly Server[], first: number): Device {
  const device: Device = {
    server: servers[first] as Server,
    acceptedAt: 0,
    isOver: false,
    ended: Promise.resolve(),
  };
  const live = async () => {
    for (let at = first; !device.isOver; at += 1) {
      device.server = servers[at % servers.length] as Server;
      await putAt(device, credentials).catch(() => after(PAUSE_MS));
    }
  };
  return Object.assign(device, { ended: live() });
}

/** Puts until it is over. Rejects when the connection is lost, or an answer does not come. */
async function putAt(device: Device, { id, password }: Credentials): Promise<void> {
  const { host, port } = device.server.mqtt.address;
  const options = { username: id, password, reconnectPeriod: 0, connectTimeout: PATIENCE_MS };
  const client = await connectAsync(`mqtt://${host}:${port}`, options);
  client.on('error', () => undefined);
  try {
    await client.subscribeAsync(
      ['success', 'error'].map((outcome) => answerTopic(outcome as 'success' | 'error')),
    );
    while (!device.isOver) {
      const isAccepted = await put(client);
      if (isAccepted) device.acceptedAt = performance.now();
      await after(PAUSE_MS);
    }
  } finally {
    await client.endAsync(true);
  }
}

const answerTopic = (outcome: 'success' | 'error'): string => responseTopic('current', 'put', outcome);

/** Whether the put was accepted. Rejects when the connection is lost, or no answer comes. */
function put(client: MqttClient): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      clearTimeout(limit);
      client.off('message', onMessage);
      client.off('close', onClose);
      settle();
    };
    const onMessage = (topic: string) => done(() => resolve(topic === answerTopic('success')));
    const onClose = () => done(() => reject(new Error('the connection is lost')));
    const limit = setTimeout(onClose, PATIENCE_MS);
    client.on('message', onMessage);
    client.on('close', onClose);
    client.publish(requestTopic('current', 'put'), PAYLOAD);
  });
}
