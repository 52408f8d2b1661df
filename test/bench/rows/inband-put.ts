import { alternate } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CLIENTS, echoers, putters, throughput } from '../load/mqtt.js';
import { startMosquitto } from '../peers/mosquitto.js';
import type { Measurement, Row } from '../row.js';
import { createDevices, startServer } from '../server.js';

const UNIT = 'req/s';

const inbandPut = (name: string, qos: 0 | 1, limit: number): Row => ({
  name,
  needs: ['mosquitto'],
  run: async (bench) => [await measure(bench, name, qos, limit)],
});

/** Every answer of the server comes after its write is on stable storage; Mosquitto echoes from memory. */
async function measure(bench: Bench, row: string, qos: 0 | 1, limit: number): Promise<Measurement> {
  const server = await startServer(bench);
  const putting = putters(await createDevices(server, CLIENTS));
  const mosquitto = await startMosquitto(bench);
  const echoing = echoers(CLIENTS);
  const turns = await alternate(
    bench,
    { name: 'server', program: server.program, measure: () => throughput(bench, server.mqtt, qos, putting) },
    {
      name: 'Mosquitto',
      program: mosquitto.program,
      measure: () => throughput(bench, mosquitto, qos, echoing),
    },
    UNIT,
  );
  return {
    row,
    what: `in-band put, QoS ${qos}, ${CLIENTS} connections, durable`,
    unit: UNIT,
    server: turns.server,
    peer: { name: 'Mosquitto echo', figures: turns.peer },
    bar: { relation: '>=', limit, on: 'ratio' },
    notes: turns.notes,
  };
}

export const atQos0 = inbandPut('inband-put', 0, 0.6);
export const atQos1 = inbandPut('inband-put-qos1', 1, 0.8);
