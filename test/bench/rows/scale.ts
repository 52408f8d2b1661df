import { alternate } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CLIENTS, PAYLOAD, putters, throughput } from '../load/mqtt.js';
import { runWrk } from '../load/wrk.js';
import { type Row, thousands } from '../row.js';
import { startHolding } from '../seed.js';
import { documentPath } from '../server.js';

const FEW = 100;
const MANY = 100_000;
const UNIT = 'req/s';

/** A server that holds so many twins, and the two loads on it. */
async function holding(bench: Bench, count: number) {
  const { server, devices } = await startHolding(bench, count);
  const clients = putters(devices.slice(0, CLIENTS));
  const paths = devices.map(({ id }) => documentPath(id, 'current'));
  const { program } = server;
  return {
    onSome: {
      name: `${thousands(count)} twins`,
      program,
      measure: () => throughput(bench, server.mqtt, 0, clients),
    },
    onAll: {
      name: `all ${thousands(count)} twins`,
      program,
      measure: () => runWrk(bench, server.http, { method: 'PUT', token: server.token, body: PAYLOAD, paths }),
    },
  };
}

/** Besides the row of the bars, the case that no memory and no write-behind can hide: all twins are written in turn. */
export const scale: Row = {
  name: 'scale',
  needs: ['wrk'],
  async run(bench) {
    const many = await holding(bench, MANY);
    const few = await holding(bench, FEW);
    const some = await alternate(bench, many.onSome, few.onSome, UNIT);
    const all = await alternate(bench, many.onAll, few.onAll, UNIT);
    return [
      {
        row: 'scale',
        what: `in-band put, QoS 0, ${CLIENTS} connections, ${thousands(MANY)} twins on disk`,
        unit: UNIT,
        server: some.server,
        peer: { name: `${thousands(FEW)} twins on disk`, figures: some.peer },
        bar: { relation: '>=', limit: 0.9, on: 'ratio' },
        repeats: some.repeats,
        notes: some.notes,
      },
      {
        row: 'scale-all',
        what: `REST PUT to each of ${thousands(MANY)} twins in turn`,
        unit: UNIT,
        server: all.server,
        peer: { name: `to each of ${thousands(FEW)} twins in turn`, figures: all.peer },
        repeats: all.repeats,
        notes: all.notes,
      },
    ];
  },
};
