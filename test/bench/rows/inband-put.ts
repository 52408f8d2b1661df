import { alternate } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CLIENTS, echoers, putters, throughput } from '../load/mqtt.js';
import { startMosquitto } from '../peers/mosquitto.js';
import type { Measurement, Row } from '../row.js';
import { createDevices, startServer } from '../server.js';

const UNIT = 'req/s';

interface InbandRow {
  name: string;
  qos: 0 | 1;
  /** Both speak TLS, with the same certificates, also of the clients. */
  byTls?: boolean;
  /** What the ratio must reach. */
  limit?: number;
}

const inbandPut = (inband: InbandRow): Row => ({
  name: inband.name,
  needs: ['mosquitto'],
  run: async (bench) => [await measure(bench, inband)],
});

/** Every answer of the server comes after its write is on stable storage; Mosquitto echoes from memory. */
async function measure(bench: Bench, { name, qos, byTls = false, limit }: InbandRow): Promise<Measurement> {
  const server = await startServer(bench);
  const devices = await createDevices(server, CLIENTS);
  const target = byTls ? server.mqtts : server.mqtt;
  const putting = putters(devices);
  const mosquitto = await startMosquitto(bench, byTls ? server.directory : undefined);
  const echoing = echoers(CLIENTS, devices);
  const turns = await alternate(
    bench,
    { name: 'server', program: server.program, measure: () => throughput(bench, target, qos, putting) },
    {
      name: 'Mosquitto',
      program: mosquitto.program,
      measure: () => throughput(bench, mosquitto, qos, echoing),
    },
    UNIT,
  );
  return {
    row: name,
    what: `in-band put${byTls ? ' by TLS' : ''}, QoS ${qos}, ${CLIENTS} connections, durable`,
    unit: UNIT,
    server: turns.server,
    peer: { name: `Mosquitto echo${byTls ? ' by TLS' : ''}`, figures: turns.peer },
    ...(limit !== undefined && { bar: { relation: '>=', limit, on: 'ratio' } }),
    repeats: turns.repeats,
    notes: turns.notes,
  };
}

export const atQos0 = inbandPut({ name: 'inband-put', qos: 0, limit: 0.6 });
export const atQos1 = inbandPut({ name: 'inband-put-qos1', qos: 1, limit: 0.8 });
export const tlsAtQos0 = inbandPut({ name: 'tls-put', qos: 0, byTls: true });
export const tlsAtQos1 = inbandPut({ name: 'tls-put-qos1', qos: 1, byTls: true });
