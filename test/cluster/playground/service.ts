/** Whether clients are served: one put after the other through the balancer, each by a connection of its own. */

import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Recovery {
  /** From the fault to the first acknowledgement of a row without a refusal, in milliseconds. */
  readonly ms: number;
  /** Puts that were refused, or had no answer. */
  readonly failed: number;
  /** The longest time that a put took to be acknowledged, in milliseconds. */
  readonly slowestMs: number;
}

export interface Service {
  /** Call it at a fault. Resolves when a row of puts was acknowledged after it. */
  recovery(): Promise<Recovery>;
}

const EVERY_MS = 50;
/** Longer than the server lets a request wait for the database. */
const PATIENCE_MS = 4000;
/** So many puts in a row reach every server. */
const ROW = 20;

interface Put {
  /** By `performance.now()`. */
  readonly begun: number;
  readonly ended: number;
  readonly isAcknowledged: boolean;
}

/** @param url of the document that is put, again and again */
export function watchService(url: string, token: string): Service {
  const listeners = new Set<(put: Put) => void>();
  const agent = new Agent({ keepAlive: false });
  const run = async (): Promise<void> => {
    for (let count = 1; ; count += 1) {
      const begun = performance.now();
      const isAcknowledged = await put(url, token, agent, { count });
      const ended = performance.now();
      for (const listener of listeners) listener({ begun, ended, isAcknowledged });
      await delay(EVERY_MS);
    }
  };
  run();
  return {
    recovery() {
      const fault = performance.now();
      let [failed, row, back, slowest] = [0, 0, 0, 0];
      return new Promise((done) => {
        const hear = ({ begun, ended, isAcknowledged }: Put): void => {
          if (begun < fault) return;
          if (isAcknowledged) slowest = Math.max(slowest, ended - begun);
          else failed += 1;
          if (isAcknowledged && row === 0) back = ended;
          row = isAcknowledged ? row + 1 : 0;
          if (row < ROW) return;
          listeners.delete(hear);
          done({ ms: Math.round(back - fault), failed, slowestMs: Math.round(slowest) });
        };
        listeners.add(hear);
      });
    },
  };
}

const put = (url: string, token: string, agent: Agent, data: object): Promise<boolean> =>
  new Promise((done) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const headers = { 'X-Auth-Token': token };
    request(url, { method: 'PUT', headers, agent, signal }, (answer) => {
      answer.on('error', () => done(false));
      answer.on('end', () => done(answer.statusCode === 200)).resume();
    })
      .on('error', () => done(false))
      .end(JSON.stringify({ data }));
  });
