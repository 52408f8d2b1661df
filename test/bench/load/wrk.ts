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
export async function runWrk(bench: Bench, address: Address, load: HttpLoad): Promise<number> {
  await wrk(bench, address, load, 1);
  return wrk(bench, address, load, Math.max(1, Math.round(bench.options.seconds)));
}

async function wrk(bench: Bench, { host, port }: Address, load: HttpLoad, seconds: number): Promise<number> {
  const { method, token, body, paths } = load;
  const measure = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`];
  const script = ['-s', 'test/bench/load/requests.lua', `http://${host}:${port}`];
  const command = ['wrk', ...measure, ...script, '--', method, token, body, ...paths];
  const summary = await bench.start(command, { role: 'load' }).output();
  const rate = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(summary)?.[1]);
  if (!(rate > 0) || /Non-2xx|Socket errors/.test(summary)) throw new BadAnswers(summary);
  return rate;
}
