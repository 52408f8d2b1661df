import { alternate } from '../alternate.js';
import type { Bench } from '../bench.js';
import { certificateFiles } from '../certificates.js';
import { PAYLOAD } from '../load/mqtt.js';
import { type HttpLoad, runWrk } from '../load/wrk.js';
import { startPolka } from '../peers/bare-polka.js';
import type { Measurement, Row } from '../row.js';
import { call, createDevices, documentPath, startServer } from '../server.js';

const UNIT = 'req/s';
const TWINS = 32;

interface RestRow {
  row: string;
  what: string;
  peerName: string;
  method: HttpLoad['method'];
  /** Both speak TLS, with the same certificate. */
  byTls?: boolean;
  /** What the ratio must reach. */
  limit?: number;
}

const restRow = (rest: RestRow): Row => ({
  name: rest.row,
  needs: ['wrk'],
  run: async (bench) => [await measure(bench, rest)],
});

async function measure(
  bench: Bench,
  { row, what, peerName, method, byTls = false, limit }: RestRow,
): Promise<Measurement> {
  const server = await startServer(bench);
  const devices = await createDevices(server, TWINS);
  const paths = devices.map(({ id }) => documentPath(id, 'current'));
  let document = '';
  for (const path of paths) document = await call(server, 'PUT', path, JSON.parse(PAYLOAD));

  const target = byTls ? server.https : server.http;
  const pem = byTls ? certificateFiles(server.directory).server : undefined;
  const polka = await startPolka(bench, document, pem);
  const load = { method, token: server.token, body: method === 'PUT' ? PAYLOAD : '' };
  const turns = await alternate(
    bench,
    {
      name: 'server',
      program: server.program,
      measure: () => runWrk(bench, target, { ...load, paths }),
    },
    {
      name: 'Polka',
      program: polka.program,
      measure: () => runWrk(bench, polka, { ...load, paths: ['/document'] }),
    },
    UNIT,
  );
  return {
    row,
    what,
    unit: UNIT,
    server: turns.server,
    peer: { name: peerName, figures: turns.peer },
    ...(limit !== undefined && { bar: { relation: '>=', limit, on: 'ratio' } }),
    repeats: turns.repeats,
    notes: turns.notes,
  };
}

export const restGet = restRow({
  row: 'rest-get',
  what: 'REST GET document, authenticated, 32 connections',
  peerName: 'Polka, constant answer',
  method: 'GET',
  limit: 0.85,
});

export const restPut = restRow({
  row: 'rest-put',
  what: 'REST PUT document, authenticated, durable, 32 connections',
  peerName: 'Polka, parse and echo',
  method: 'PUT',
  limit: 0.6,
});

export const tlsRestGet = restRow({
  row: 'tls-rest-get',
  what: 'REST GET document by HTTPS, authenticated, 32 connections that are kept',
  peerName: 'Polka by HTTPS, constant answer',
  method: 'GET',
  byTls: true,
});

export const tlsRestPut = restRow({
  row: 'tls-rest-put',
  what: 'REST PUT document by HTTPS, authenticated, durable, 32 connections that are kept',
  peerName: 'Polka by HTTPS, parse and echo',
  method: 'PUT',
  byTls: true,
});
