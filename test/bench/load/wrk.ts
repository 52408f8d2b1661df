import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample } from '../alternate.js';
import type { Bench } from '../bench.js';
import { watchCore } from '../core.js';
import { CORES, type Target } from '../program.js';

const CONNECTIONS = 32;

export interface HttpLoad {
  method: 'GET' | 'PUT';
  token: string;
  body: string;
  /** Asked in turn. */
  paths: string[];
}

/** An answer that was none, or not a 2xx. The message is wrk's summary. */
export class BadAnswers extends Error {
  override name = 'BadAnswers';
}

/** Runs wrk once, after a warm-up. The figure is requests a second. @throws BadAnswers */
export async function runWrk(
  bench: Bench,
  { program, address, byTls }: Target,
  load: HttpLoad,
): Promise<Sample> {
  const { method, token, body, paths } = load;
  const file = join(await bench.directory(), 'paths');
  await writeFile(file, `${paths.join('\n')}\n`);
  const scheme = byTls ? 'https' : 'http';
  const target = ['-s', 'test/bench/load/requests.lua', `${scheme}://${address.host}:${address.port}`];
  const requests = ['--', method, token, body, file];
  await wrk(bench, 1, [...target, ...requests]);
  const watched = watchCore(program.pid, CORES?.subject);
  const figure = await wrk(bench, Math.max(1, Math.round(bench.options.seconds)), [...target, ...requests]);
  return { figure, core: watched() };
}

async function wrk(bench: Bench, seconds: number, args: string[]): Promise<number> {
  const command = ['wrk', '-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, ...args];
  const summary = await bench.start(command, { role: 'load' }).output();
  const rate = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(summary)?.[1]);
  if (!(rate > 0) || /Non-2xx|Socket errors/.test(summary)) throw new BadAnswers(summary);
  return rate;
}
