import { setTimeout as after } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { requestTopic, responseTopic } from '../../../shared/topics.js';
import type { Bench } from '../bench.js';
import { countedBy, NEEDS, type Scene, startScene, startServers } from '../cluster/scene.js';
import { steadyRounds } from '../disturbance.js';
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

const SUCCESS = responseTopic('current', 'put', 'success');
const ANSWERS = [SUCCESS, responseTopic('current', 'put', 'error')];
const NO_ANSWER = 'no answer to a put';
/** What a device or its MQTT client says of an answer that does not come. */
const LATE = [NO_ANSWER, 'connack timeout'];

const DATABASES = 'a primary and two standbys; a commit waits for one of them; all programs share the cores';

/** A device that puts all the time, and goes to the next server when its server is gone. */
interface Device {
  /** Where it is connected, or tries to be. */
  server: Server;
  /** When its newest put that was accepted at this server began and was answered, by `performance.now()`. */
  accepted: { readonly began: number; readonly ended: number };
  /** Answers that did not come in time, to a CONNECT or to a put. */
  readonly late: string[];
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
    const measure = async () => {
      const leader = await leaderOf(scene, servers);
      const killed = await underLoad(bench, credentials, servers, (devices) => killServer(devices, leader));
      servers = [...servers.filter((server) => server !== leader), await scene.startServer()];
      const promoted = await underLoad(bench, credentials, servers, (devices) => killPrimary(devices, scene));
      await scene.databases.rejoin();
      return { killed, promoted };
    };
    const { results, repeats } = await steadyRounds(
      bench,
      measure,
      ({ killed, promoted }) =>
        `all served again after ${killed.last.toFixed(0)} ${UNIT}, ${promoted.last.toFixed(0)} ${UNIT}`,
    );
    const shared = { unit: UNIT, counts: 'greatest', repeats, notes: [] as string[] } as const;
    const bar = { relation: '<=', limit: BACK_WITHIN_MS, on: 'server' } as const;
    const kill = 'kill -9 of the server that leads';
    const promotion = 'kill -9 of the primary, then the promotion of a standby';
    return [
      {
        ...shared,
        row: 'cluster-failover',
        what: `${kill} → a put of each of its devices is accepted at another server`,
        server: results.map(({ killed }) => killed.last),
        notes: [
          DATABASES,
          `${DEVICES} devices at ${SERVERS} servers, which connect again at once`,
          lateNote(results.flatMap(({ killed, promoted }) => [killed, promoted])),
        ],
      },
      {
        ...shared,
        row: 'cluster-failover-first',
        what: `${kill} → a put of the first of them`,
        server: results.map(({ killed }) => killed.first),
      },
      {
        ...shared,
        row: 'cluster-promotion',
        what: `${promotion} → the first put is accepted`,
        server: results.map(({ promoted }) => promoted.first),
        bar,
      },
      {
        ...shared,
        row: 'cluster-promotion-all',
        what: `${promotion} → a put of each device`,
        server: results.map(({ promoted }) => promoted.last),
        bar,
      },
    ];
  },
};

/** In milliseconds from the fault, or from its repair, to the first device and to the last. */
interface Times {
  readonly first: number;
  readonly last: number;
}

interface Gap extends Times {
  /** Answers that no device waited for any longer. */
  readonly late: readonly string[];
}

function lateNote(gaps: readonly Gap[]): string {
  const late = gaps.flatMap((gap) => gap.late);
  const counts = LATE.map((what) => `${what}: ${late.filter((each) => each === what).length} times`);
  return `after ${PATIENCE_MS} ms a device gave up waiting; ${counts.join(', ')}`;
}

async function underLoad(
  bench: Bench,
  credentials: readonly Credentials[],
  servers: readonly Server[],
  fault: (devices: readonly Device[]) => Promise<Times>,
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
  return { ...gap, late: devices.flatMap(({ late }) => late) };
}

async function killServer(devices: readonly Device[], leader: Server): Promise<Times> {
  const its = devices.filter(({ server }) => server === leader);
  const killed = performance.now();
  await leader.program.kill();
  return acceptedSince(its, killed, (device) => device.server !== leader);
}

async function killPrimary(devices: readonly Device[], { databases }: Scene): Promise<Times> {
  await databases.killPrimary();
  const began = performance.now();
  const promotion = databases.promote();
  const gap = await acceptedSince(devices, began);
  await promotion;
  return gap;
}

/** Waits until a put of each device that began after this time was accepted. */
async function acceptedSince(
  devices: readonly Device[],
  time: number,
  counts: (device: Device) => boolean = () => true,
): Promise<Times> {
  const gaps = new Map<Device, number>();
  while (gaps.size < devices.length) {
    await after(1);
    for (const device of devices) {
      const { began, ended } = device.accepted;
      if (!gaps.has(device) && began > time && counts(device)) gaps.set(device, ended - time);
    }
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

const NONE = { began: 0, ended: 0 };

function startDevice(credentials: Credentials, servers: readonly Server[], first: number): Device {
  const device: Device = {
    server: servers[first] as Server,
    accepted: NONE,
    late: [],
    isOver: false,
    ended: Promise.resolve(),
  };
  const live = async () => {
    for (let at = first; !device.isOver; at += 1) {
      device.server = servers[at % servers.length] as Server;
      device.accepted = NONE;
      await putAt(device, credentials).catch((error) => {
        if (LATE.includes(error.message)) device.late.push(error.message);
        return after(PAUSE_MS);
      });
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
  const isLost = new Promise<never>((_, lost) => {
    client.once('close', () => lost(new Error('the connection is lost')));
  });
  isLost.catch(() => undefined);
  try {
    await Promise.race([isLost, client.subscribeAsync(ANSWERS)]);
    while (!device.isOver) {
      const began = performance.now();
      const isAccepted = await Promise.race([isLost, put(client)]);
      if (isAccepted) device.accepted = { began, ended: performance.now() };
      await after(PAUSE_MS);
    }
  } finally {
    await client.endAsync(true);
  }
}

/** Whether the put was accepted. Rejects when no answer comes. */
function put(client: MqttClient): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onMessage = (topic: string) => {
      clearTimeout(limit);
      resolve(topic === SUCCESS);
    };
    const limit = setTimeout(() => {
      client.off('message', onMessage);
      reject(new Error(NO_ANSWER));
    }, PATIENCE_MS);
    client.once('message', onMessage);
    client.publish(requestTopic('current', 'put'), PAYLOAD);
  });
}
