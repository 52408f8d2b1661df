import { quiet } from '../alternate.js';
import { CLIENTS, putters, runLoad } from '../load/mqtt.js';
import type { ProbeReading } from '../probe.js';
import { type Row, spread } from '../row.js';
import { seed } from '../seed.js';
import { startServer } from '../server.js';

const TWINS = 100_000;
const UNIT = 'ms';

/** The longest time that the event loop did not turn, from the first connection to the last file written behind. */
export const stall: Row = {
  name: 'stall',
  needs: [],
  async run(bench) {
    const directory = await bench.directory();
    const devices = await seed(bench, directory, TWINS);
    const server = await startServer(bench, { directory, probe: true });
    const clients = putters(devices.slice(0, CLIENTS));
    const stalls: number[] = [];
    const changes: number[] = [];
    const syncs: number[] = [];
    const others: number[] = [];
    for (let round = 1; round <= bench.options.rounds; round += 1) {
      await server.program.ask('reset');
      const { rate, total, core } = await runLoad(bench, server.mqtt, 0, clients);
      const { fdatasyncs } = (await server.program.ask('read')) as ProbeReading;
      await quiet(server.program, bench.options.seconds);
      const { longestStall } = (await server.program.ask('read')) as ProbeReading;
      stalls.push(longestStall);
      changes.push(total / fdatasyncs);
      others.push(core.others ?? 0);
      syncs.push((rate * fdatasyncs) / total);
      bench.progress(`round ${round} of ${bench.options.rounds}: ${longestStall.toFixed(1)} ${UNIT}`);
    }
    return [
      {
        row: 'stall',
        what: `longest stall of the event loop under the put load, ${TWINS.toLocaleString('en')} twins`,
        unit: UNIT,
        server: stalls,
        counts: 'greatest',
        bar: { relation: '<=', limit: 20, on: 'server' },
        notes: [
          `group commit: ${spread(syncs).middle.toFixed(0)} fdatasyncs a second, ` +
            `${spread(changes).middle.toFixed(1)} changes in each`,
          `other programs took up to ${(100 * spread(others).greatest).toFixed(0)} % of the server's core`,
        ],
      },
    ];
  },
};
