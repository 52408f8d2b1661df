import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { alternate } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CLIENTS, PAYLOAD, putters, throughput } from '../load/mqtt.js';
import { listening } from '../peers/listening.js';
import { typescript } from '../program.js';
import type { Bar, Measurement, Row } from '../row.js';
import { createDevices, startServer } from '../server.js';

const UNIT = 'req/s';

interface Variant {
  row: string;
  peerName: string;
  writer: 'sync' | 'async';
  /** Twins that the peer's file holds besides those of the load. */
  otherTwins: number;
  bar?: Bar;
}

/** The bars were set against the synchronous writer; the other one gathers writes, so it is shown beside it. */
const VARIANTS: Variant[] = [
  {
    row: 'aedes-lowdb',
    peerName: 'aedes + lowdb, no other twin',
    writer: 'sync',
    otherTwins: 0,
    bar: { relation: '>=', limit: 20, on: 'ratio' },
  },
  {
    row: 'aedes-lowdb-async',
    peerName: 'the same, asynchronous writer',
    writer: 'async',
    otherTwins: 0,
  },
  {
    row: 'aedes-lowdb-10000',
    peerName: 'aedes + lowdb, 10,000 other twins',
    writer: 'sync',
    otherTwins: 10_000,
    bar: { relation: '>=', limit: 300, on: 'ratio' },
  },
];

export const aedesLowdb: Row = {
  name: 'aedes-lowdb',
  needs: [],
  async run(bench) {
    const server = await startServer(bench);
    const clients = putters(await createDevices(server, CLIENTS));
    const subject = {
      name: 'server',
      program: server.program,
      measure: () => throughput(bench, server.mqtt, 0, clients),
    };

    const measurements: Measurement[] = [];
    for (const variant of VARIANTS) {
      const { row, peerName, writer, otherTwins, bar } = variant;
      const file = await twinsFile(bench, otherTwins);
      const peer = bench.start(typescript('test/bench/peers/aedes-lowdb.ts', file, writer), {
        role: 'subject',
      });
      const address = await listening(peer);
      const turns = await alternate(
        bench,
        subject,
        {
          name: peerName,
          program: peer,
          measure: () => throughput(bench, { program: peer, address }, 0, clients),
        },
        UNIT,
      );
      await peer.stop();
      measurements.push({
        row,
        what: `in-band put, QoS 0, ${CLIENTS} connections, durable`,
        unit: UNIT,
        server: turns.server,
        peer: { name: peerName, figures: turns.peer },
        ...(bar && { bar }),
        repeats: turns.repeats,
        notes: turns.notes,
      });
    }
    return measurements;
  },
};

async function twinsFile(bench: Bench, count: number): Promise<string> {
  const file = join(await bench.directory(), 'twins.json');
  const document = { version: 1, ...JSON.parse(PAYLOAD) };
  const twins = Array.from({ length: count }, () => [randomUUID(), { documents: { current: document } }]);
  await writeFile(file, JSON.stringify({ twins: Object.fromEntries(twins) }));
  return file;
}
