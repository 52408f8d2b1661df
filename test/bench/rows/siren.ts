import { DEFAULTS } from '../../../firmware/config.js';
import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import type { Credentials } from '../load/mqtt.js';
import { arm, type Panel, startPanel } from '../panel.js';
import { percentile, type Row } from '../row.js';
import { createDevices, type Server, startServer } from '../server.js';

const UNIT = 'ms';
const LEAST_OPENINGS = 10;

/** From the word on the panel's standard input to its line with the siren on: the way there and back is in the time. */
export const siren: Row = {
  name: 'siren',
  needs: [],
  async run(bench) {
    const server = await startServer(bench);
    const [device] = await createDevices(server, 1);
    if (device === undefined) throw new Error('no device was made');
    const panel = await startPanel(bench, server, device);
    const { results, repeats } = await steadyRounds(
      bench,
      () => open(bench, server, device, panel),
      (times) => `p99 of ${times.length} ${beyondDebounce(times).toFixed(1)} ${UNIT}`,
    );
    return [
      {
        row: 'siren',
        what: `door edge → siren output on desktop XS, p99, beyond the debounce of ${DEFAULTS.debounce} ms`,
        unit: UNIT,
        server: results.map(beyondDebounce),
        bar: { relation: '<=', limit: 5, on: 'server' },
        repeats,
        notes: [],
      },
    ];
  },
};

/** The p99. */
const beyondDebounce = (times: number[]): number => percentile(times, 0.99) - DEFAULTS.debounce;

async function open(bench: Bench, server: Server, device: Credentials, panel: Panel): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + 1000 * bench.options.seconds;
  while (performance.now() < end || times.length < LEAST_OPENINGS) {
    await Promise.all([panel.until(({ armed }) => armed), arm(server, device, true)]);
    const began = performance.now();
    panel.type('open');
    await panel.until(({ siren_ringing }) => siren_ringing);
    times.push(performance.now() - began);
    await Promise.all([panel.until(({ siren_ringing }) => !siren_ringing), arm(server, device, false)]);
    panel.type('close');
    await panel.until(({ door_open }) => !door_open);
  }
  return times;
}
