import { quiet } from '../alternate.js';
import type { Bench } from '../bench.js';
import {
  type Counted,
  type Counter,
  type Counts,
  countCalls,
  countInstructions,
  perRequest,
  whyNoInstructions,
} from '../counting.js';
import { CLIENTS, PAYLOAD, putters, runLoad } from '../load/mqtt.js';
import { type HttpLoad, wrk } from '../load/wrk.js';
import type { Program } from '../program.js';
import { type Measurement, type Row, spread } from '../row.js';
import { createDevices, documentPath, startServer } from '../server.js';

/** A system call that is not here is among the others. */
const KINDS: Record<string, string[]> = {
  'write and writev': ['write', 'writev'],
  read: ['read'],
  pwrite64: ['pwrite64'],
  fdatasync: ['fdatasync'],
  futex: ['futex'],
  epoll_wait: ['epoll_wait', 'epoll_pwait', 'epoll_pwait2'],
};
/** How long the shorter of two loads is. */
const SHORT_SHARE = 0.25;
/** The shorter load is a second then, and wrk runs no shorter one. */
const SHORTEST_LONG_SECONDS = 4;
const SLOWED =
  'strace slows each call, so more puts share a turn of the event loop and an fdatasync than without it';
/** Files that are written behind would be in one round and not in another. */
const NEVER_MS = 3_600_000;
/** How often a thread waits for another is chance: 0.2 to 0.8 of one put, where all other calls together differ by 5 %. */
const BY_CHANCE = 'futex';

/** One way to put. */
interface Load {
  name: string;
  what: string;
  /** Gives how many puts it made. */
  run(seconds: number): Promise<number>;
}

/** Counts where times are not stable: other programs change them little. */
export const syscalls: Row = {
  name: 'syscalls',
  needs: ['strace', 'wrk'],
  async run(bench) {
    const server = await startServer(bench, { writeBehindMs: NEVER_MS });
    const devices = await createDevices(server, CLIENTS);
    const clients = putters(devices);
    const paths = devices.map(({ id }) => documentPath(id, 'current'));
    const http: HttpLoad = { method: 'PUT', token: server.token, body: PAYLOAD, paths };
    const loads: Load[] = [
      {
        name: 'inband-put',
        what: `in-band put, QoS 0, ${CLIENTS} connections`,
        run: async (seconds) => (await runLoad(bench, server.mqtt, 0, clients, seconds)).total,
      },
      {
        name: 'rest-put',
        what: 'REST PUT, 32 connections',
        run: async (seconds) => (await wrk(bench, server.http, http, seconds)).requests,
      },
    ];
    const refused = whyNoInstructions();
    const measurements: Measurement[] = [];
    for (const load of loads) {
      const calls = await countedRounds(bench, server.program, countCalls, load);
      measurements.push(callsOf(load, calls, refused));
      if (refused !== undefined) continue;
      measurements.push(
        instructionsOf(load, await countedRounds(bench, server.program, countInstructions, load)),
      );
    }
    return measurements;
  },
};

/** What each put took, by kind, in each round. */
async function countedRounds(bench: Bench, program: Program, count: Counter, load: Load): Promise<Counts[]> {
  const { seconds, rounds } = bench.options;
  const counted = async (loadSeconds: number): Promise<Counted> => {
    const end = await count(bench, program);
    const requests = await load.run(loadSeconds);
    await quiet(program, seconds);
    return { requests, counts: await end() };
  };
  const longer = Math.max(SHORTEST_LONG_SECONDS, seconds);
  // The engine compiles much at first, on threads of its own, which would be counted.
  await load.run(seconds);
  await quiet(program, seconds);
  const all: Counts[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const short = await counted(SHORT_SHARE * longer);
    const counts = perRequest(short, await counted(longer));
    all.push(counts);
    bench.progress(`round ${round} of ${rounds}: ${load.name} ${total(counts).toFixed(2)}`);
  }
  return all;
}

const total = ({ [BY_CHANCE]: _, ...counts }: Counts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

function callsOf({ name, what }: Load, rounds: readonly Counts[], refused: string | undefined): Measurement {
  const named = Object.values(KINDS).flat();
  const others = [...new Set(rounds.flatMap(Object.keys))].filter((call) => !named.includes(call));
  const kinds = Object.entries({ ...KINDS, 'all others': others }).map(([kind, calls]) => {
    const figures = rounds.map((counts) => calls.reduce((sum, call) => sum + (counts[call] ?? 0), 0));
    return `${kind} ${Number(spread(figures).middle.toPrecision(3))}`;
  });
  return {
    row: `syscalls-${name}`,
    what: `system calls of a put without ${BY_CHANCE}; ${what}`,
    unit: 'calls',
    server: rounds.map(total),
    notes: [
      kinds.join(', '),
      SLOWED,
      ...(refused === undefined ? [] : [`its instructions are not counted: ${refused}`]),
    ],
  };
}

const instructionsOf = ({ name, what }: Load, rounds: readonly Counts[]): Measurement => ({
  row: `instructions-${name}`,
  what: `instructions of a put outside the kernel; ${what}`,
  unit: 'instructions',
  server: rounds.map(total),
  notes: [],
});
