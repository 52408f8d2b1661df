import { join } from 'node:path';
import { alternate, type Subject } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CLIENTS, echoers, medianTime, PAYLOAD, throughput } from '../load/mqtt.js';
import { type HttpLoad, runWrk } from '../load/wrk.js';
import { startPolka } from '../peers/bare-polka.js';
import { startMosquitto } from '../peers/mosquitto.js';
import { type Target, typescript } from '../program.js';
import type { Measurement, Row } from '../row.js';

interface Floor {
  mqtt: Target;
  http: Target;
}

async function startFloor(bench: Bench): Promise<Floor> {
  const file = join(await bench.directory(), 'floor.log');
  const program = bench.start(typescript('test/bench/peers/floor.ts', file), { role: 'subject' });
  const { address: host, port, http } = await program.line((line) => JSON.parse(line));
  return { mqtt: { program, address: { host, port } }, http: { program, address: { host, port: http } } };
}

interface FloorRow {
  row: string;
  what: string;
  unit: string;
  needs: string;
  peerName: string;
  /** How both are measured. */
  subjects(bench: Bench, floor: Floor): Promise<{ floor: Subject['measure']; peer: Omit<Subject, 'name'> }>;
}

const floorRow = (of: FloorRow): Row => ({
  name: of.row,
  needs: [of.needs],
  run: async (bench) => [await measure(bench, of)],
});

async function measure(
  bench: Bench,
  { row, what, unit, peerName, subjects }: FloorRow,
): Promise<Measurement> {
  const floor = await startFloor(bench);
  const { floor: own, peer } = await subjects(bench, floor);
  const turns = await alternate(
    bench,
    { name: 'floor', program: floor.mqtt.program, measure: own },
    { name: peerName, ...peer },
    unit,
  );
  return {
    row,
    what: `${what}, by a server that does nothing else`,
    unit,
    server: turns.server,
    peer: { name: peerName, figures: turns.peer },
    repeats: turns.repeats,
    notes: turns.notes,
  };
}

/** Puts over MQTT beside Mosquitto, as the rows of the server measure them. */
const inband = (
  row: string,
  what: string,
  unit: string,
  measured: typeof throughput,
  qos: 0 | 1,
  count: number,
): Row =>
  floorRow({
    row,
    what,
    unit,
    needs: 'mosquitto',
    peerName: 'Mosquitto echo',
    async subjects(bench, floor) {
      const mosquitto = await startMosquitto(bench);
      const clients = echoers(count);
      return {
        floor: () => measured(bench, floor.mqtt, qos, clients),
        peer: { program: mosquitto.program, measure: () => measured(bench, mosquitto, qos, clients) },
      };
    },
  });

/** What physics demands of a put, for the bars that the server does not reach. */
export const floors: readonly Row[] = [
  inband('floor-put', `in-band put, QoS 0, ${CLIENTS} connections, durable`, 'req/s', throughput, 0, CLIENTS),
  inband(
    'floor-put-qos1',
    `in-band put, QoS 1, ${CLIENTS} connections, durable`,
    'req/s',
    throughput,
    1,
    CLIENTS,
  ),
  inband(
    'floor-round-trip',
    'in-band put, QoS 0, one connection, p50, fsync included',
    'µs',
    medianTime,
    0,
    1,
  ),
  floorRow({
    row: 'floor-rest-put',
    what: 'REST PUT document, durable, 32 connections',
    unit: 'req/s',
    needs: 'wrk',
    peerName: 'Polka, parse and echo',
    async subjects(bench, floor) {
      const polka = await startPolka(bench, PAYLOAD);
      const load: HttpLoad = { method: 'PUT', token: '', body: PAYLOAD, paths: ['/document'] };
      return {
        floor: () => runWrk(bench, floor.http, load),
        peer: { program: polka.program, measure: () => runWrk(bench, polka, load) },
      };
    },
  }),
];
