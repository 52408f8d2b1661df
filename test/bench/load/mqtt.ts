import { requestTopic, responseTopic } from '../../../shared/topics.js';
import type { Sample } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CORES, type Target, typescript } from '../program.js';
import type { Credentials, LoadClient, LoadJob, LoadResult } from './job.js';

export type { Credentials } from './job.js';

/** What the panel reports, with a time whose milliseconds are the counter. */
export const PAYLOAD =
  '{"data":{"last_update":"2025-01-01T12:00:00.000Z","alarm_armed":true,"siren_ringing":false,"door_open":false}}';
export const COUNTER_AT = PAYLOAD.indexOf('.000Z') + 1;

export const CLIENTS = 64;

/** Devices that put their `current` document in-band. */
export const putters = (devices: readonly Credentials[]): LoadClient[] =>
  devices.map(({ id, ...credentials }) => ({
    clientId: `load-${id}`,
    username: id,
    ...credentials,
    request: requestTopic('current', 'put'),
    answer: responseTopic('current', 'put', 'success'),
  }));

/** Clients of a broker that get back what they publish. @param devices whose certificates they show by TLS */
export const echoers = (count: number, devices: readonly Credentials[] = []): LoadClient[] =>
  Array.from({ length: count }, (_, index) => {
    const topic = `echo/twins/${index}/current/put`;
    const certificate = devices[index]?.certificate;
    const client = { clientId: `load-${index}`, request: topic, answer: topic };
    return certificate === undefined ? client : { ...client, certificate };
  });

/** Runs the load program once. @throws ProgramFailed when an answer was not the expected one */
export async function runLoad(
  bench: Bench,
  { program, address, byTls = false }: Target,
  qos: 0 | 1,
  clients: LoadClient[],
  seconds = bench.options.seconds,
): Promise<LoadResult> {
  const isPinned = program.role === 'subject';
  const job: LoadJob = {
    pid: program.pid,
    ...(CORES && isPinned && { core: CORES.subject }),
    ...address,
    byTls,
    qos,
    warmUpSeconds: Math.min(1, seconds / 2),
    seconds,
    payload: PAYLOAD,
    counterAt: COUNTER_AT,
    clients,
  };
  const load = bench.start(typescript('test/bench/load/mqtt-load.ts'), {
    role: isPinned ? 'load' : 'anywhere',
    input: JSON.stringify(job),
  });
  return JSON.parse(await load.output());
}

/** Requests a second. */
export async function throughput(...load: Parameters<typeof runLoad>): Promise<Sample> {
  const { rate: figure, busy: loadBusy, core } = await runLoad(...load);
  return { figure, loadBusy, core };
}

/** The median time of a request, in microseconds. */
export async function medianTime(...load: Parameters<typeof runLoad>): Promise<Sample> {
  const { p50: figure, busy: loadBusy, core } = await runLoad(...load);
  return { figure, loadBusy, core };
}
