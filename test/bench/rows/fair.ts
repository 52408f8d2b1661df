import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { quiet } from '../alternate.js';
import { ATTACKS } from '../attack/attacks.js';
import type { Attack, AttackJob } from '../attack/scene.js';
import type { Bench } from '../bench.js';
import { type Attempt, repeatsOf, steadily } from '../disturbance.js';
import type { HouseholdJob, HouseholdReading, MemberReading } from '../load/job.js';
import type { Credentials } from '../load/mqtt.js';
import { OPEN, type Program, ProgramFailed, typescript } from '../program.js';
import { type Measurement, percentile, type Row } from '../row.js';
import { BASE, call, createDevices, type Server, type ServerOptions, startServer } from '../server.js';

const UNIT = 'ms';
const MIB = 1024 * 1024;
/** Of the worst answer under an attack to the 99th percentile without one. */
const MOST_TIMES_SLOWER = 10;
const LONGEST_MS = 250;
const MOST_MEMORY = 150 * MIB;
const SMALL_HEAP = 64;
/** Often enough for a percentile, and for the server hardly anything. */
const ASKS_EVERY_MS = 50;
const LOOKS_EVERY_MS = 20;
/** How long an attack lasts, as a share of the other measurements. */
const ATTACK_SHARE = 1.4;

const WARM_UP_SHARE = 0.3;

const MEMBERS = ['panel', 'app', 'owner'] as const;

/** One household, and one attacker with the least rights that there are. */
interface Parties {
  readonly household: HouseholdJob;
  readonly attacker: AttackJob;
}

interface Outcome {
  readonly calm: HouseholdReading;
  readonly attacked: HouseholdReading;
  readonly grownBytes: number;
  readonly directoryBytes: number;
  /** What the attack counted. */
  readonly counted: string;
}

/** A row for each attack: what a household that behaves well sees of it. */
export const fair: readonly Row[] = Object.entries(ATTACKS).map(([name, attack]) => ({
  name: `fair-${name}`,
  needs: [],
  run: async (bench) => {
    const deaths: string[] = [];
    const attempt = await steadily(bench, () => besideAttack(bench, name, attack, deaths));
    if (attack.onSmallHeap) deaths.push(...(await survive(bench, name)));
    const measurement = measurementOf(`fair-${name}`, attack, attempt, deaths);
    bench.progress(`${Math.max(...measurement.server).toFixed(0)} ${UNIT}`);
    return [measurement];
  },
}));

/** @param deaths takes that of the server, also in a measurement that is made again */
async function besideAttack(bench: Bench, name: string, attack: Attack, deaths: string[]): Promise<Outcome> {
  const { seconds } = bench.options;
  let server = await startServer(bench, { limited: true });
  const parties = await makeParties(server, name);
  let household = await startHousehold(bench, parties.household);
  let attacker = await prepareAttack(bench, parties.attacker);
  await pause(WARM_UP_SHARE * seconds);
  await readingOf(household);
  await pause(seconds);
  const calm = await readingOf(household);
  if (attack.serverStartsAgain || attack.householdComesAgain) await household.stop();
  if (attack.serverStartsAgain) {
    await Promise.all([attacker.stop(), server.program.stop()]);
    server = await startServer(bench, { limited: true, directory: server.directory });
    attacker = await prepareAttack(bench, { ...parties.attacker, ...addressesOf(server) });
  }
  await quiet(server.program, 0);
  const memory = watchMemory(server.program);
  attacker.type('begin');
  if (attack.householdComesAgain) {
    await pause(WARM_UP_SHARE * seconds);
    household = await startHousehold(bench, { ...parties.household, ...addressesOf(server) });
  }
  await pause(ATTACK_SHARE * seconds);
  const attacked = await readingOf(household);
  const grownBytes = memory();
  if (!server.program.isRunning) deaths.push('the server died');
  attacker.type('end');
  const counted = await attacker.output();
  const directoryBytes = await sizeOf(server.directory);
  await Promise.all([household.kill(), server.program.kill()]);
  return {
    calm,
    attacked,
    grownBytes,
    directoryBytes,
    counted: counted.split('\n').at(-2) ?? '',
  };
}

/** What went wrong on a server with a small heap, under the attack and when it starts again after a crash. */
async function survive(bench: Bench, name: string): Promise<string[]> {
  const small: ServerOptions = { limited: true, heapMebibytes: SMALL_HEAP };
  const server = await startServer(bench, small);
  const { attacker: job } = await makeParties(server, name);
  const attacker = await prepareAttack(bench, job);
  attacker.type('begin');
  await pause(ATTACK_SHARE * bench.options.seconds);
  const faults: string[] = [];
  if (!server.program.isRunning) faults.push(`with a heap of ${SMALL_HEAP} MiB the server died`);
  await Promise.all([attacker.kill(), server.program.kill()]);
  try {
    const again = await startServer(bench, { ...small, directory: server.directory });
    await call(again, 'GET', `${BASE}/hubs`);
    await again.program.kill();
  } catch (error) {
    if (!(error instanceof ProgramFailed)) throw error;
    faults.push(`with a heap of ${SMALL_HEAP} MiB the server does not start again`);
  }
  return faults;
}

const addressesOf = ({ http, mqtt }: Server) => ({ http: http.address, mqtt: mqtt.address });

async function makeParties(server: Server, attack: string): Promise<Parties> {
  const [panel, device] = await createDevices(server, 2, { allow_multiple_connections: true });
  if (panel === undefined || device === undefined) throw new Error('no devices were made');
  const addresses = addressesOf(server);
  const tokenFor = async (role: string, twin?: Credentials): Promise<string> => {
    const twins = twin === undefined ? {} : { twin_ids: [twin.id] };
    return JSON.parse(await call(server, 'POST', `${BASE}/tokens`, { role, ...twins })).secret;
  };
  return {
    household: {
      ...addresses,
      device: panel,
      app: await tokenFor('app', panel),
      owner: await tokenFor('owner'),
      everyMs: ASKS_EVERY_MS,
    },
    attacker: {
      ...addresses,
      attack,
      device,
      app: await tokenFor('app', device),
      reader: await tokenFor('reader', device),
    },
  };
}

async function startHousehold(bench: Bench, job: HouseholdJob): Promise<Program> {
  const household = bench.start(typescript('test/bench/load/household.ts'), { role: 'load', input: OPEN });
  household.type(JSON.stringify(job));
  await household.line((line) => line === 'begun' || undefined);
  return household;
}

async function readingOf(household: Program): Promise<HouseholdReading> {
  household.type('read');
  return household.line((line) => JSON.parse(line));
}

async function prepareAttack(bench: Bench, job: AttackJob): Promise<Program> {
  const attacker = bench.start(typescript('test/bench/load/attack.ts'), { role: 'load', input: OPEN });
  attacker.type(JSON.stringify(job));
  await attacker.line((line) => line === 'prepared' || undefined);
  return attacker;
}

/** Gives the function that tells by how many bytes the resident memory grew at most. */
function watchMemory(program: Program): () => number {
  const before = program.residentBytes;
  let most = before;
  const looking = setInterval(() => {
    // A process that has just died has none.
    if (program.isRunning) most = Math.max(most, program.residentBytes || 0);
  }, LOOKS_EVERY_MS);
  return () => {
    clearInterval(looking);
    return most - before;
  };
}

async function sizeOf(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true });
  const sizes = await Promise.all(names.map((name) => sizeOfFile(join(directory, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** 0 for a file that was removed meanwhile. */
const sizeOfFile = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

const pause = (seconds: number): Promise<void> => new Promise((later) => setTimeout(later, 1000 * seconds));

const worst = ({ times }: MemberReading): number => Math.max(...times, 0);
const usual = ({ times }: MemberReading): number => percentile(times, 0.99);

function measurementOf(
  row: string,
  attack: Attack,
  attempt: Attempt<Outcome>,
  deaths: string[],
): Measurement {
  const { calm, attacked, grownBytes, directoryBytes, counted } = attempt.result;
  const server = MEMBERS.map((member) => worst(attacked[member]));
  const calmly = MEMBERS.map((member) => usual(calm[member]));
  const refusals = MEMBERS.flatMap((member) => refusalsOf(member, attacked[member]));
  const slow = Math.max(...server) > LONGEST_MS ? [`an answer took more than ${LONGEST_MS} ${UNIT}`] : [];
  const grown = `the memory grew by ${(grownBytes / MIB).toFixed(0)} MiB`;
  const each = MEMBERS.map((member, index) => {
    const [now = 0, before = 0] = [server[index], calmly[index]];
    return `${member} ${now.toFixed(1)} ${UNIT} (${(now / before).toFixed(1)} ×)`;
  });
  const calmWorst = Math.max(...MEMBERS.map((member) => worst(calm[member])));
  return {
    row,
    what: attack.what,
    unit: UNIT,
    server,
    peer: { name: 'p99 without the attack', figures: calmly },
    counts: 'greatest',
    bar: { relation: '<=', limit: MOST_TIMES_SLOWER, on: 'ratio' },
    faults: [...deaths, ...slow, ...refusals, ...(grownBytes > MOST_MEMORY ? [grown] : [])],
    repeats: repeatsOf([attempt]),
    notes: [
      `${each.join(', ')}; ${grown}; the data directory has ${(directoryBytes / MIB).toFixed(0)} MiB`,
      `the attack counted ${counted}; without it the worst answer took ${calmWorst.toFixed(1)} ${UNIT}; ` +
        `the household was late by up to ${attacked.lateMs.toFixed(0)} ${UNIT}`,
    ],
  };
}

function refusalsOf(member: string, { refusals }: MemberReading): string[] {
  const [first] = refusals;
  return first === undefined ? [] : [`${refusals.length} refusals of the ${member}, first ${first}`];
}
