import type { Bench } from '../bench.js';
import { type Credentials, PAYLOAD } from '../load/mqtt.js';
import { runWrk } from '../load/wrk.js';
import { type Measurement, percentile, type Row, thousands } from '../row.js';
import { seed } from '../seed.js';
import { BASE, call, type Server, startServer } from '../server.js';

const FEW = 1000;
const MANY = 100_000;
const PAGE = 100;
const UNIT = 'ms';
/** How often each call is timed in a round; their median is the round's figure. */
const CALLS = 50;
const VERSIONS = 100_000;
const HISTORY_MS = 10;

interface Holding {
  readonly server: Server;
  readonly devices: Credentials[];
  /** Milliseconds. */
  readonly firstList: number;
}

/** One call, by the number of devices: where it is in the middle of them. */
interface Timed {
  readonly row: string;
  readonly what: string;
  readonly call: (holding: Holding) => Promise<unknown>;
}

const list = (query: string): Timed['call'] => {
  return ({ server }) => call(server, 'GET', `${BASE}/devices?page_size=${PAGE}&${query}`);
};

const TIMED: readonly Timed[] = [
  {
    row: 'growth-page',
    what: `a page of ${PAGE} devices from the middle`,
    call: (holding) => list(`page=${Math.floor(holding.devices.length / 2 / PAGE)}`)(holding),
  },
  {
    row: 'growth-filter',
    what: `${PAGE} devices of a status, which looks at all`,
    call: list('status=enabled&order_by=name_asc'),
  },
  {
    row: 'growth-delete',
    what: 'DELETE of a device with its twin',
    call: ({ server, devices }) => call(server, 'DELETE', `${BASE}/devices/${devices.pop()?.id}`),
  },
];

/** What a call costs with many devices, beside the same with few. */
export const growth: Row = {
  name: 'growth',
  needs: [],
  async run(bench) {
    const [few, many] = [await holding(bench, FEW), await holding(bench, MANY)];
    const figures = TIMED.map(() => ({ server: [] as number[], peer: [] as number[] }));
    for (let round = 1; round <= bench.options.rounds; round += 1) {
      for (const [index, timed] of TIMED.entries()) {
        figures[index]?.server.push(await middleOf(() => timed.call(many)));
        figures[index]?.peer.push(await middleOf(() => timed.call(few)));
      }
      bench.progress(`round ${round} of ${bench.options.rounds}`);
    }
    const notes = [
      `the first list after the start: ${many.firstList.toFixed(0)} ${UNIT} beside ${few.firstList.toFixed(0)} ${UNIT}`,
    ];
    return TIMED.map(
      ({ row, what }, index): Measurement => ({
        row,
        what: `${what}, ${thousands(MANY)} devices`,
        unit: UNIT,
        server: figures[index]?.server ?? [],
        peer: { name: `${thousands(FEW)} devices`, figures: figures[index]?.peer ?? [] },
        notes: index === 0 ? notes : [],
      }),
    );
  },
};

async function holding(bench: Bench, count: number): Promise<Holding> {
  const directory = await bench.directory();
  const devices = await seed(bench, directory, count);
  const server = await startServer(bench, { directory });
  const made = { server, devices, firstList: 0 };
  return { ...made, firstList: await timeOf(() => list('page=1')(made)) };
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

async function middleOf(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < CALLS; count += 1) times.push(await timeOf(run));
  return percentile(times, 0.5);
}

/** A page of a long history, from its middle. */
export const history: Row = {
  name: 'history',
  needs: ['wrk'],
  async run(bench) {
    const directory = await bench.directory();
    const [device] = await seed(bench, directory, 1);
    if (device === undefined) throw new Error('no device was made');
    const environment = { TWIN_HISTORY_VERSIONS: `${VERSIONS}`, TWIN_HISTORY_BYTES: `${64 * 1024 * 1024}` };
    const server = await startServer(bench, { directory, environment });
    const path = `${BASE}/twins/${device.id}/documents/current`;
    const versionOf = async (): Promise<number> => JSON.parse(await call(server, 'GET', path)).version;
    const writes = { method: 'PUT' as const, token: server.token, body: PAYLOAD, paths: [path] };
    for (let version = await versionOf(); version < VERSIONS; version = await versionOf()) {
      await runWrk(bench, server.http, writes);
      bench.progress(`wrote ${version} of ${VERSIONS} versions`);
    }
    const figures: number[] = [];
    for (let round = 1; round <= bench.options.rounds; round += 1) {
      const page = `${path}/history?limit=${PAGE}&before=${Math.floor((await versionOf()) / 2)}`;
      figures.push(await middleOf(() => call(server, 'GET', page)));
    }
    return [
      {
        row: 'history',
        what: `a page of ${PAGE} from the middle of ${thousands(VERSIONS)} versions`,
        unit: UNIT,
        server: figures,
        bar: { relation: '<=', limit: HISTORY_MS, on: 'server' },
        notes: [],
      },
    ];
  },
};
