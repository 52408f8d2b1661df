import { setTimeout as after } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { changedTopic, requestTopic, responseTopic } from '../../../shared/topics.js';
import type { Bench } from '../bench.js';
import { NEEDS, SHARING, startScene, startServers } from '../cluster/scene.js';
import { steadyRounds } from '../disturbance.js';
import type { Credentials } from '../load/mqtt.js';
import { percentile, type Row, spread } from '../row.js';
import { createDevices, type Server } from '../server.js';

const UNIT = 'ms';
const DEVICES = 50;
const PUTS_A_SECOND = 500;
const LONGEST_WAIT_MS = 10_000;

/** What one side heard: for how long it did not know of each put, in milliseconds. */
interface Ear {
  readonly times: number[];
  /** Puts that it has not heard of. */
  missing: number;
}

interface Putter {
  readonly put: () => void;
}

/** From a put at one server to the moment when clients of another one, and of the same one, hear of it. */
export const clusterPush: Row = {
  name: 'cluster-push',
  needs: NEEDS,
  async run(bench) {
    const scene = await startScene(bench, 1);
    const [here, there] = (await startServers(scene, 2)) as [Server, Server];
    const devices = await createDevices(here, DEVICES, { allow_multiple_connections: true });
    const ears = { there: { times: [], missing: 0 } as Ear, here: { times: [], missing: 0 } as Ear };
    const refusals: string[] = [];
    const putters = await Promise.all(
      devices.map((device) => preparePutter(bench, device, { here, there, ears, refusals })),
    );
    await putAll(putters, ears, Math.min(1, bench.options.seconds / 2));
    const measure = async () => {
      ears.there.times.length = 0;
      ears.here.times.length = 0;
      await putAll(putters, ears, bench.options.seconds);
      return { there: delaysOf(ears.there), here: delaysOf(ears.here) };
    };
    const { results, repeats } = await steadyRounds(
      bench,
      measure,
      ({ there }) => `p50 ${there.usual.toFixed(1)} ${UNIT}, p99 ${there.slow.toFixed(1)} ${UNIT}`,
    );
    const what = `put at one server → heard by a client of another, at ${PUTS_A_SECOND} puts/s of ${DEVICES} devices`;
    const peer = 'heard by a client of the same server';
    const [refusal] = refusals;
    return [
      {
        row: 'cluster-push',
        what: `${what}, p99`,
        unit: UNIT,
        server: results.map(({ there }) => there.slow),
        peer: { name: peer, figures: results.map(({ here }) => here.slow) },
        bar: { relation: '<=', limit: 50, on: 'server' },
        faults:
          refusal === undefined ? [] : [`${refusals.length} puts were refused, the first with ${refusal}`],
        repeats,
        notes: [SHARING],
      },
      {
        row: 'cluster-push-p50',
        what: `${what}, p50`,
        unit: UNIT,
        server: results.map(({ there }) => there.usual),
        peer: { name: peer, figures: results.map(({ here }) => here.usual) },
        repeats,
        notes: [],
      },
    ];
  },
};

const delaysOf = ({ times }: Ear) => ({ usual: spread(times).middle, slow: percentile(times, 0.99) });

interface Sides {
  readonly here: Server;
  readonly there: Server;
  readonly ears: Readonly<Record<'here' | 'there', Ear>>;
  readonly refusals: string[];
}

/** A device that puts at one server, and has two more clients, one at each server, that listen. */
async function preparePutter(
  bench: Bench,
  device: Credentials,
  { here, there, ears, refusals }: Sides,
): Promise<Putter> {
  const [listener, neighbour, writer] = [
    await connect(bench, there, device, 'there'),
    await connect(bench, here, device, 'here'),
    await connect(bench, here, device, 'writer'),
  ];
  const begun: number[] = [];
  for (const [client, ear] of [
    [listener, ears.there],
    [neighbour, ears.here],
  ] as const) {
    let heard = 0;
    client.on('message', (_topic, message) => {
      const { count } = (JSON.parse(message.toString()) as { data: { count: number } }).data;
      // A later state stands for those before it.
      for (; heard < count; heard += 1) {
        ear.times.push(performance.now() - (begun[heard] ?? 0));
        ear.missing -= 1;
      }
    });
    await client.subscribeAsync(changedTopic('current'));
  }
  writer.on('message', (_topic, message) => refusals.push(message.toString()));
  await writer.subscribeAsync(responseTopic('current', 'put', 'error'));
  const topic = requestTopic('current', 'put');
  return {
    put() {
      begun.push(performance.now());
      ears.there.missing += 1;
      ears.here.missing += 1;
      const data = { last_update: new Date().toISOString(), alarm_armed: true, count: begun.length };
      writer.publish(topic, JSON.stringify({ data }));
    },
  };
}

async function connect(bench: Bench, server: Server, device: Credentials, as: string): Promise<MqttClient> {
  const { host, port } = server.mqtt.address;
  const { id: username, password } = device;
  const client = await connectAsync(`mqtt://${host}:${port}`, { username, password, clientId: as });
  bench.atClose(() => client.endAsync(true));
  return client;
}

/** Lets the devices put in turn, as often as planned whatever the answers, and waits until all was heard. */
async function putAll(putters: readonly Putter[], ears: Sides['ears'], seconds: number): Promise<void> {
  const began = performance.now();
  for (let sent = 0; sent < Math.ceil(seconds * PUTS_A_SECOND); ) {
    const due = Math.ceil(((performance.now() - began) * PUTS_A_SECOND) / 1000);
    for (; sent < due; sent += 1) putters[sent % putters.length]?.put();
    await after(1);
  }
  const latest = performance.now() + LONGEST_WAIT_MS;
  while (ears.here.missing + ears.there.missing > 0) {
    if (performance.now() > latest)
      throw new Error(`${ears.there.missing} puts were not heard at the other server`);
    await after(1);
  }
}
