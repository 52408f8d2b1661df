import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import { PAYLOAD } from '../load/mqtt.js';
import { runWrk } from '../load/wrk.js';
import { percentile, type Row, thousands } from '../row.js';
import { type Holding as Held, seed, startHolding } from '../seed.js';
import { BASE, call, startServer } from '../server.js';

const FEW = 1000;
const MANY = 100_000;
const PAGE = 100;
const UNIT = 'ms';
/** How often each call is timed in a round; their median is the round's figure. */
const CALLS = 50;
const VERSIONS = 100_000;
const HISTORY_MS = 10;
const MIB = 1024 * 1024;

interface Holding extends Held {
  /** Milliseconds. */
  readonly firstList: number;
}

/** One call, by the number of devices: where it is in the middle of them. */
interface Timed {
  readonly name: string;
  readonly what: string;
  readonly call: (holding: Holding) => Promise<unknown>;
}

const list = (query: string): Timed['call'] => {
  return ({ server }) => call(server, 'GET', `${BASE}/devices?page_size=${PAGE}&${query}`);
};

const TIMED: readonly Timed[] = [
  {
    name: 'page',
    what: `a page of ${PAGE} devices from the middle`,
    call: (holding) => list(`page=${Math.floor(holding.devices.length / 2 / PAGE)}`)(holding),
  },
  {
    name: 'filter',
    what: `${PAGE} devices of a status, which looks at all`,
    call: list('status=enabled&order_by=name_asc'),
  },
  {
    name: 'delete',
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
    const { results, repeats } = await steadyRounds(
      bench,
      async () => {
        const times: { few: number; many: number }[] = [];
        for (const { call } of TIMED)
          times.push({ many: await middleOf(() => call(many)), few: await middleOf(() => call(few)) });
        return times;
      },
      (times) => `${times.map((time) => time.many.toFixed(1)).join(', ')} ${UNIT}`,
    );
    const row = (
      name: string,
      what: string,
      unit: string,
      figures: readonly Record<'few' | 'many', number>[],
    ) => ({
      row: `growth-${name}`,
      what: `${what}, ${thousands(MANY)} devices`,
      unit,
      server: figures.map((figure) => figure.many),
      peer: { name: `${thousands(FEW)} devices`, figures: figures.map((figure) => figure.few) },
      notes: [],
    });
    const once = (of: (holding: Holding) => number) => [{ few: of(few), many: of(many) }];
    return [
      ...TIMED.map(({ name, what }, index) => ({
        ...row(
          name,
          what,
          UNIT,
          results.map((times) => times[index] ?? { few: Number.NaN, many: Number.NaN }),
        ),
        repeats,
      })),
      row(
        'list',
        'the first list after the start',
        UNIT,
        once(({ firstList }) => firstList),
      ),
      row(
        'memory',
        'resident memory after all of it',
        'MiB',
        once(({ server }) => server.program.residentBytes / MIB),
      ),
    ];
  },
};

async function holding(bench: Bench, count: number): Promise<Holding> {
  const held = { ...(await startHolding(bench, count)), firstList: 0 };
  return { ...held, firstList: await timeOf(() => list('page=1')(held)) };
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
    const page = `${path}/history?limit=${PAGE}&before=${Math.floor((await versionOf()) / 2)}`;
    const { results, repeats } = await steadyRounds(
      bench,
      () => middleOf(() => call(server, 'GET', page)),
      (middle) => `${middle.toFixed(1)} ${UNIT}`,
    );
    return [
      {
        row: 'history',
        what: `a page of ${PAGE} from the middle of ${thousands(VERSIONS)} versions`,
        unit: UNIT,
        server: results,
        bar: { relation: '<=', limit: HISTORY_MS, on: 'server' },
        repeats,
        notes: [],
      },
    ];
  },
};
