import { join } from 'node:path';
import { buildPackage, bytesBelow } from '../../package.js';
import { quiet } from '../alternate.js';
import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import { type Measurement, type Row, spread } from '../row.js';
import { BASE, call, type Server, startServer } from '../server.js';

const MIB = 1024 * 1024;
const COMMANDS = 9;

/** What a person waits for, and what the machine gives, once the package is installed. */
export const installed: Row = {
  name: 'package',
  needs: [],
  async run(bench) {
    const folder = await bench.directory();
    buildPackage(folder);
    const program = [process.execPath, join(folder, 'alarm-twin.js')];
    const directory = await bench.directory();
    const start = () => startServer(bench, { directory, command: [...program, 'server'], limited: true });
    // The first start makes certificates.
    await (await start()).program.stop();
    const measure = async () => {
      const began = performance.now();
      const server = await start();
      await call(server, 'GET', `${BASE}/hubs`);
      const up = (performance.now() - began) / 1000;
      await quiet(server.program, bench.options.seconds);
      const memory = server.program.residentBytes / MIB;
      const command = await commandSeconds(bench, server, program);
      await server.program.stop();
      return { up, memory, command };
    };
    const { results, repeats } = await steadyRounds(
      bench,
      measure,
      ({ up, memory, command }) =>
        `up ${up.toFixed(2)} s, ${memory.toFixed(0)} MiB, a command ${command.toFixed(2)} s`,
    );
    const row = (name: string, what: string, unit: string, server: number[], limit: number): Measurement => ({
      row: `package-${name}`,
      what,
      unit,
      server,
      bar: { relation: '<=', limit, on: 'server' },
      repeats,
      notes: [],
    });
    return [
      row(
        'up',
        'start of the installed package, to the first answer',
        's',
        results.map(({ up }) => up),
        0.5,
      ),
      row(
        'memory',
        'its resident memory when it is idle',
        'MiB',
        results.map(({ memory }) => memory),
        80,
      ),
      row(
        'size',
        'all its files, unpacked, with all that it depends on',
        'MiB',
        [bytesBelow(folder) / MIB],
        15,
      ),
      row(
        'command',
        'one command of it, `device list`',
        's',
        results.map(({ command }) => command),
        0.3,
      ),
    ];
  },
};

/** The median of several, on the server's core, while the server waits. */
async function commandSeconds(bench: Bench, server: Server, program: string[]): Promise<number> {
  const { host, port } = server.http.address;
  const environment = { TWIN_URL: `http://${host}:${port}`, TWIN_TOKEN: server.token };
  const seconds: number[] = [];
  for (let round = 0; round < COMMANDS; round += 1) {
    const began = performance.now();
    await bench.start([...program, 'device', 'list'], { role: 'load', environment }).output();
    seconds.push((performance.now() - began) / 1000);
  }
  return spread(seconds).middle;
}
