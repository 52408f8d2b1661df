import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample } from '../alternate.js';
import type { Bench } from '../bench.js';
import { watchCore } from '../core.js';
import { CORES, type Target } from '../program.js';

const CONNECTIONS = 32;
/** On a busy machine a second is too short for the first TLS connections. */
const LONGEST_SECONDS = 10;

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
export async function runWrk(bench: Bench, target: Target, load: HttpLoad): Promise<Sample> {
  await wrk(bench, target, load, 1);
  const watched = watchCore(target.program.pid, CORES?.subject);
  const { rate: figure } = await wrk(bench, target, load, bench.options.seconds);
  return { figure, core: watched() };
}

/** Runs wrk for whole seconds, and longer when no answer came in the time given. @throws BadAnswers */
export async function wrk(
  bench: Bench,
  target: Target,
  load: HttpLoad,
  seconds: number,
): Promise<{ rate: number; requests: number }> {
  const { address, byTls } = target;
  const { method, token, body, paths } = load;
  const file = join(await bench.directory(), 'paths');
  await writeFile(file, `${paths.join('\n')}\n`);
  const times = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${Math.max(1, Math.round(seconds))}s`];
  const scheme = byTls ? 'https' : 'http';
  const requested = ['-s', 'test/bench/load/requests.lua', `${scheme}://${address.host}:${address.port}`];
  const command = ['wrk', ...times, ...requested, '--', method, token, body, file];
  const summary = await bench.start(command, { role: 'load' }).output();
  const rate = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(summary)?.[1]);
  const requests = Number(/^\s*(\d+) requests in /m.exec(summary)?.[1]);
  if (Number.isNaN(rate + requests) || /Non-2xx|Socket errors/.test(summary)) throw new BadAnswers(summary);
  if (requests > 0) return { rate, requests };
  if (seconds > LONGEST_SECONDS) throw new BadAnswers(summary);
  return wrk(bench, target, load, 2 * Math.max(1, seconds));
}
