import { quiet } from '../alternate.js';
import { steadyRounds } from '../disturbance.js';
import { CLIENTS, putters, runLoad } from '../load/mqtt.js';
import type { ProbeReading } from '../probe.js';
import { type Row, spread, thousands } from '../row.js';
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
    const measure = async () => {
      await server.program.ask('reset');
      const { rate, total } = await runLoad(bench, server.mqtt, 0, clients);
      const { fdatasyncs } = (await server.program.ask('read')) as ProbeReading;
      await quiet(server.program, bench.options.seconds);
      const { longestStall } = (await server.program.ask('read')) as ProbeReading;
      return { longestStall, changes: total / fdatasyncs, syncs: (rate * fdatasyncs) / total };
    };
    const { results: rounds, repeats } = await steadyRounds(
      bench,
      measure,
      ({ longestStall }) => `${longestStall.toFixed(1)} ${UNIT}`,
    );
    const middle = (figures: number[]) => spread(figures).middle;
    return [
      {
        row: 'stall',
        what: `longest stall of the event loop under the put load, ${thousands(TWINS)} twins`,
        unit: UNIT,
        server: rounds.map(({ longestStall }) => longestStall),
        counts: 'greatest',
        bar: { relation: '<=', limit: 20, on: 'server' },
        repeats,
        notes: [
          `group commit: ${middle(rounds.map(({ syncs }) => syncs)).toFixed(0)} fdatasyncs a second, ` +
            `${middle(rounds.map(({ changes }) => changes)).toFixed(1)} changes in each`,
        ],
      },
    ];
  },
};
