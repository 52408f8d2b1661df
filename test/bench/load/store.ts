import type { Sample } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CORES, type Target, typescript } from '../program.js';
import type { Store, StoreJob, StoreResult } from './job.js';
import { CLIENTS, COUNTER_AT, PAYLOAD } from './mqtt.js';

/** Puts a second in a store. @throws ProgramFailed when one was refused */
export async function storeThroughput(
  bench: Bench,
  { program, address }: Target,
  store: Store,
): Promise<Sample> {
  const { seconds } = bench.options;
  const job: StoreJob = {
    store,
    pid: program.pid,
    ...(CORES && { core: CORES.subject }),
    ...address,
    warmUpSeconds: Math.min(1, seconds / 2),
    seconds,
    payload: PAYLOAD,
    counterAt: COUNTER_AT,
    clients: CLIENTS,
  };
  const command = typescript('test/bench/load/store-load.ts');
  const load = bench.start(command, { role: 'load', input: JSON.stringify(job) });
  const { rate, busy, core }: StoreResult = JSON.parse(await load.output());
  return { figure: rate, loadBusy: busy, core };
}
