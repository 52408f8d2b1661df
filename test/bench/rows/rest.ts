import { alternate } from '../alternate.js';
import type { Bench } from '../bench.js';
import { PAYLOAD } from '../load/mqtt.js';
import { type HttpLoad, runWrk } from '../load/wrk.js';
import { listening } from '../peers/listening.js';
import { typescript } from '../program.js';
import type { Measurement, Row } from '../row.js';
import { call, createDevices, documentPath, startServer } from '../server.js';

const UNIT = 'req/s';
const TWINS = 32;

interface RestRow {
  row: string;
  what: string;
  peerName: string;
  method: HttpLoad['method'];
  limit: number;
}

const restRow = (rest: RestRow): Row => ({
  name: rest.row,
  needs: ['wrk'],
  run: async (bench) => [await measure(bench, rest)],
});

async function measure(bench: Bench, { row, what, peerName, method, limit }: RestRow): Promise<Measurement> {
  const server = await startServer(bench);
  const devices = await createDevices(server, TWINS);
  const paths = devices.map(({ id }) => documentPath(id, 'current'));
  let document = '';
  for (const path of paths) document = await call(server, 'PUT', path, JSON.parse(PAYLOAD));

  const polka = bench.start(typescript('test/bench/peers/polka.ts', document), { role: 'subject' });
  const address = await listening(polka);
  const load = { method, token: server.token, body: method === 'PUT' ? PAYLOAD : '' };
  const turns = await alternate(
    bench,
    {
      name: 'server',
      program: server.program,
      measure: () => runWrk(bench, server.http, { ...load, paths }),
    },
    {
      name: 'Polka',
      program: polka,
      measure: () => runWrk(bench, { program: polka, address }, { ...load, paths: ['/document'] }),
    },
    UNIT,
  );
  return {
    row,
    what,
    unit: UNIT,
    server: turns.server,
    peer: { name: peerName, figures: turns.peer },
    bar: { relation: '>=', limit, on: 'ratio' },
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
