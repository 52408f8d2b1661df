import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Address } from '../../../server/config.js';
import type { Bench } from '../bench.js';

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

/** Runs wrk once, after a warm-up. Gives requests a second. @throws BadAnswers */
export async function runWrk(bench: Bench, { host, port }: Address, load: HttpLoad): Promise<number> {
  const { method, token, body, paths } = load;
  const file = join(await bench.directory(), 'paths');
  await writeFile(file, `${paths.join('\n')}\n`);
  const target = ['-s', 'test/bench/load/requests.lua', `http://${host}:${port}`];
  const requests = ['--', method, token, body, file];
  await wrk(bench, 1, [...target, ...requests]);
  return wrk(bench, Math.max(1, Math.round(bench.options.seconds)), [...target, ...requests]);
}

async function wrk(bench: Bench, seconds: number, args: string[]): Promise<number> {
  const command = ['wrk', '-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, ...args];
  const summary = await bench.start(command, { role: 'load' }).output();
  const rate = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(summary)?.[1]);
  if (!(rate > 0) || /Non-2xx|Socket errors/.test(summary)) throw new BadAnswers(summary);
  return rate;
}
