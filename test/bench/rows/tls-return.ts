import { alternate, quiet, type Subject } from '../alternate.js';
import type { Bench } from '../bench.js';
import { seedCertified } from '../certificates.js';
import { processSeconds, watchCore } from '../core.js';
import type { Credentials, Return, ReturnJob } from '../load/job.js';
import { startHandshakes } from '../peers/handshaking.js';
import { CORES, OPEN, type Target, typescript } from '../program.js';
import { type Measurement, type Row, spread, thousands } from '../row.js';
import { startServer } from '../server.js';

const UNIT = 'panels/s';

interface ReturnRow {
  row: string;
  /** Why the panels come back. */
  because: string;
  /** The process is another one. */
  isRestarted: boolean;
}

/** One return of all panels. */
interface Seen extends Return {
  /** Seconds from the end of the old process, or from the cut of the connections, to the last panel that was served. */
  away: number;
  /** Processor time of the server in seconds, all its threads. */
  processor: number;
}

interface Returning {
  subject: Subject;
  seen: Seen[];
}

const returnRow = (given: ReturnRow): Row => ({
  name: given.row,
  needs: [],
  run: (bench) => measure(bench, given),
});

async function measure(bench: Bench, { row, because, isRestarted }: ReturnRow): Promise<Measurement[]> {
  const directory = await bench.directory();
  const panels = await seedCertified(bench, directory);
  const start = async () => (await startServer(bench, { directory })).mqtts;
  const server = await returning(bench, 'server', panels, isRestarted, start);
  const startPeer = () => startHandshakes(bench, directory);
  const bare = await returning(bench, 'bare TLS', panels, isRestarted, startPeer);
  const turns = await alternate(bench, server.subject, bare.subject, UNIT);
  const peer = 'bare TLS of Node, which answers constants';
  const all = `${thousands(panels.length)} panels with certificates come back after ${because}`;
  const notes = [...turns.notes, noteOf(server, panels.length), noteOf(bare, panels.length)];
  const aways = ({ seen }: Returning) => seen.map(({ away }) => away);
  const speed: Measurement = {
    row,
    what: `${all}: how many are served in a second`,
    unit: UNIT,
    server: turns.server,
    peer: { name: peer, figures: turns.peer },
    notes,
  };
  const time: Measurement = {
    row: `${row}-time`,
    what: 'the same, from the end of the old process until the last is served',
    unit: 's',
    server: aways(server),
    peer: { name: peer, figures: aways(bare) },
    repeats: turns.repeats,
    notes: [],
  };
  return isRestarted ? [speed, time] : [speed];
}

/** All panels are connected to what `start` starts, and come back each time that it is measured. */
async function returning(
  bench: Bench,
  name: string,
  devices: Credentials[],
  isRestarted: boolean,
  start: () => Promise<Target>,
): Promise<Returning> {
  let target = await start();
  const load = bench.start(typescript('test/bench/load/return.ts'), { role: 'load', input: OPEN });
  load.type(JSON.stringify({ devices } satisfies ReturnJob));
  const come = (): Promise<Return> => {
    load.type(JSON.stringify(target.address));
    return load.line((line) => JSON.parse(line));
  };
  const leave = async () => {
    load.type('leave');
    await load.line((line) => line === 'left' || undefined);
    await quiet(target.program, bench.options.seconds);
  };
  const restart = async () => {
    await target.program.stop();
    const ended = performance.now();
    target = await start();
    return ended;
  };
  await come();
  const seen: Seen[] = [];
  const subject: Subject = {
    name,
    get program() {
      return target.program;
    },
    async measure() {
      const left = isRestarted ? await restart() : await leave().then(() => performance.now());
      const { pid } = target.program;
      const watched = watchCore(pid, CORES?.subject);
      const before = processSeconds(pid);
      const back = await come();
      const core = watched();
      const away = (performance.now() - left) / 1000;
      seen.push({ ...back, away, processor: processSeconds(pid) - before });
      return { figure: devices.length / back.seconds, core, loadBusy: back.busy };
    },
  };
  return { subject, seen };
}

/** The load may be slower than the server: what a panel costs the server does not depend on that. */
function noteOf({ subject, seen }: Returning, panels: number): string {
  const milliseconds = (1000 * spread(seen.map(({ processor }) => processor)).middle) / panels;
  const resumed = spread(seen.map((each) => each.resumed)).middle;
  const cutOff = seen.reduce((sum, each) => sum + each.cutOff, 0);
  return (
    `${subject.name}: ${milliseconds.toFixed(2)} ms of its processor a panel; ${resumed} took up their sessions` +
    (cutOff > 0 ? `; ${cutOff} times one was cut off and tried again` : '')
  );
}

export const tlsReturn = returnRow({
  row: 'tls-return',
  because: 'a restart',
  isRestarted: true,
});

export const tlsReturnCut = returnRow({
  row: 'tls-return-cut',
  because: 'a cut of their links',
  isRestarted: false,
});
