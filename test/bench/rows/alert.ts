import { type PushService, startPushService } from '../../server/alerts/push-service.js';
import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import type { Credentials } from '../load/mqtt.js';
import { arm, type Panel, startPanel } from '../panel.js';
import { percentile, type Row } from '../row.js';
import { BASE, createDevices, type Server, startServer } from '../server.js';

const UNIT = 'ms';
const LEAST_ALARMS = 10;

/** From the panel's line with the siren on to the request at a push service on this machine, which decrypts it. */
export const alert: Row = {
  name: 'alert',
  needs: [],
  async run(bench) {
    const service = await startPushService();
    bench.atClose(() => service.close());
    const server = await startServer(bench, { pushAuthority: service.authority });
    const [device] = await createDevices(server, 1);
    if (device === undefined) throw new Error('no device was made');
    await subscribe(server, service);
    const panel = await startPanel(bench, server, device);
    const { results, repeats } = await steadyRounds(
      bench,
      () => alarms(bench, () => ring(server, device, panel, service)),
      (times) => `p99 of ${times.length} ${percentile(times, 0.99).toFixed(1)} ${UNIT}`,
    );
    return [
      {
        row: 'alert',
        what: 'siren edge on desktop XS → request at the push service, p99',
        unit: UNIT,
        server: results.map((times) => percentile(times, 0.99)),
        bar: { relation: '<=', limit: 250, on: 'server' },
        repeats,
        notes: [],
      },
    ];
  },
};

/** The milliseconds of each alarm of a round. */
async function alarms(bench: Bench, ringOnce: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + 1000 * bench.options.seconds;
  while (performance.now() < end || times.length < LEAST_ALARMS) times.push(await ringOnce());
  return times;
}

/** A call that the load program of the twins does not have. */
async function ask(server: Server, method: string, path: string, body?: object): Promise<unknown> {
  const { host, port } = server.http.address;
  const response = await fetch(`http://${host}:${port}${BASE}${path}`, {
    method,
    headers: { 'X-Auth-Token': server.token },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  return response.json();
}

async function subscribe(server: Server, service: PushService): Promise<void> {
  const channels = [{ id: 'phones', type: 'push', contact: 'mailto:owner@example.org' }];
  await ask(server, 'PUT', '/alerts/channels', { channels, rules: { kinds: ['triggered'] } });
  const { application_server_key } = (await ask(server, 'GET', '/alerts/push')) as {
    application_server_key: string;
  };
  const phone = await service.subscribe(application_server_key);
  await ask(server, 'POST', '/alerts/subscriptions', { ...phone, application_server_key });
}

/** One alarm, from the closed door of a disarmed panel and back to it. @returns the milliseconds until it was sent */
async function ring(
  server: Server,
  device: Credentials,
  panel: Panel,
  service: PushService,
): Promise<number> {
  const before = service.pushed.length;
  await Promise.all([panel.until(({ armed }) => armed), arm(server, device, true)]);
  panel.type('open');
  await panel.until(({ siren_ringing }) => siren_ringing);
  const began = performance.now();
  await service.count(before + 1);
  const took = performance.now() - began;
  await Promise.all([panel.until(({ siren_ringing }) => !siren_ringing), arm(server, device, false)]);
  panel.type('close');
  await panel.until(({ door_open }) => !door_open);
  await service.count(before + 2);
  return took;
}
