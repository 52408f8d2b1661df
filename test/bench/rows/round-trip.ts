import { alternate } from '../alternate.js';
import { echoers, medianTime, putters } from '../load/mqtt.js';
import { startMosquitto } from '../peers/mosquitto.js';
import { typescript } from '../program.js';
import { type Row, spread } from '../row.js';
import { createDevices, startServer } from '../server.js';

const UNIT = 'µs';

/** One connection, so nothing is gathered: each put pays its own fsync, which Mosquitto's echo does not. */
export const roundTrip: Row = {
  name: 'round-trip',
  needs: ['mosquitto'],
  async run(bench) {
    const server = await startServer(bench);
    const putting = putters(await createDevices(server, 1));
    const mosquitto = await startMosquitto(bench);
    const turns = await alternate(
      bench,
      { name: 'server', program: server.program, measure: () => medianTime(bench, server.mqtt, 0, putting) },
      {
        name: 'Mosquitto',
        program: mosquitto.program,
        measure: () => medianTime(bench, mosquitto, 0, echoers(1)),
      },
      UNIT,
    );
    const probe = bench.start(typescript('test/bench/load/fdatasync.ts', server.directory), {
      role: 'subject',
    });
    const sync = Number(await probe.output());
    const share = (100 * sync) / spread(turns.server).middle;
    return [
      {
        row: 'round-trip',
        what: 'in-band put, QoS 0, one connection, p50, fsync included',
        unit: UNIT,
        server: turns.server,
        peer: { name: 'Mosquitto echo', figures: turns.peer },
        bar: { relation: '<=', limit: 3, on: 'ratio' },
        repeats: turns.repeats,
        notes: [
          `a bare fdatasync of 300 bytes in the same directory takes ${sync.toFixed(0)} µs: ${share.toFixed(0)} % of it`,
        ],
      },
    ];
  },
};
