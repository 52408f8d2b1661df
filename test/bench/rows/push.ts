import { connectAsync } from 'mqtt';
import { isCurrentDocument } from '../../../shared/current-document.js';
import { changedTopic } from '../../../shared/topics.js';
import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import type { Credentials } from '../load/mqtt.js';
import { arm, startPanel } from '../panel.js';
import { percentile, type Row, spread } from '../row.js';
import { createDevices, type Server, startServer } from '../server.js';

const UNIT = 'ms';
const LEAST_TOGGLES = 20;

/** From the app's request to the moment when another client hears that `current` says so; the panel polls nothing. */
export const push: Row = {
  name: 'push',
  needs: [],
  async run(bench) {
    const server = await startServer(bench);
    const [device] = await createDevices(server, 1, { allow_multiple_connections: true });
    if (device === undefined) throw new Error('no device was made');
    const confirmed = await watchCurrent(bench, server, device);
    await startPanel(bench, server, device);
    const { results, repeats } = await steadyRounds(
      bench,
      () => toggle(bench, server, device, confirmed),
      (times) => `p99 of ${times.length} ${percentile(times, 0.99).toFixed(1)} ${UNIT}`,
    );
    const what = 'app toggles → panel on desktop XS has it applied and `current` says so';
    return [
      {
        row: 'push',
        what: `${what}, p99`,
        unit: UNIT,
        server: results.map((times) => percentile(times, 0.99)),
        bar: { relation: '<=', limit: 20, on: 'server' },
        repeats,
        notes: [],
      },
      {
        row: 'push-p50',
        what: `${what}, p50`,
        unit: UNIT,
        server: results.map((times) => spread(times).middle),
        bar: { relation: '<=', limit: 3, on: 'server' },
        repeats,
        notes: [],
      },
    ];
  },
};

/** Gives the function that waits until `current` says armed, or disarmed. */
async function watchCurrent(bench: Bench, server: Server, { id, password }: Credentials) {
  const { host, port } = server.mqtt.address;
  const client = await connectAsync(`mqtt://${host}:${port}`, { username: id, password });
  bench.atClose(() => client.endAsync(true));
  let heard: (armed: boolean) => void = () => {};
  client.on('message', (_topic, payload) => {
    const { data } = JSON.parse(payload.toString());
    if (isCurrentDocument(data)) heard(data.alarm_armed);
  });
  await client.subscribeAsync(changedTopic('current'));
  return (armed: boolean) =>
    new Promise<void>((confirmed) => {
      heard = (is) => {
        if (is === armed) confirmed();
      };
    });
}

async function toggle(
  bench: Bench,
  server: Server,
  device: Credentials,
  confirmed: (armed: boolean) => Promise<void>,
): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + 1000 * bench.options.seconds;
  // A toggle back and forth, so that each round begins disarmed.
  while (performance.now() < end || times.length < LEAST_TOGGLES) {
    for (const armed of [true, false]) {
      const began = performance.now();
      await Promise.all([confirmed(armed), arm(server, device, armed)]);
      times.push(performance.now() - began);
    }
  }
  return times;
}
