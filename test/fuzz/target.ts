import { keepInDirectory } from '../database-under-test.js';
import type { Ports } from '../server/mqtt/transports.js';
import { type Program, startProgram } from '../system/process.js';
import { createDevice, type Server, startServer } from '../system/server.js';
import { eventually } from './eventually.js';
import { type Gauges, gauges, leakBetween } from './gauges.js';
import type { HonestJob, HonestReport } from './honest-client.js';
import { TOKEN } from './prepare.js';

keepInDirectory();

const HONEST = [process.execPath, '--import', 'tsx', 'test/fuzz/honest-client.ts'];
const LEVEL_ERROR = 50;

/** Limits that would keep bad input from the code behind them; and times short enough that nothing waits long. */
const LIMITS = {
  access: { authFailuresPerMinute: 1_000_000_000 },
  shares: { workPerSecond: 1e12 },
  mqtt: { connectMs: 2000 },
  rest: {
    histories: 1000,
    headersMs: 5000,
    requestMs: 10_000,
    keepAliveMs: 1000,
    idleMs: 20_000,
    eventsHeartbeatMs: 1000,
  },
};
const SETTINGS = { TWIN_CONNECTIONS_PER_SOURCE: '512' };

/** The real server as a process, and beside it a client that means no harm. */
export class Target {
  readonly server: Server;
  readonly ports: Ports;
  readonly #honest: Program;
  readonly #idle: Gauges;
  #lines = 0;

  private constructor(server: Server, honest: Program, idle: Gauges) {
    this.server = server;
    this.ports = { tcp: portOf(server.mqtt), tls: portOf(server.mqtts), http: portOf(server.http) };
    this.#honest = honest;
    this.#idle = idle;
  }

  /** @param data of {@link prepare} */
  static async open(data: string): Promise<Target> {
    const server = await startServer({ data, token: TOKEN, env: SETTINGS, limits: LIMITS });
    const device = await createDevice(server, 'honest');
    const documents = `${server.iotApi}/twins/${device.id}/documents`;
    const honest = startProgram(HONEST);
    const target = new Target(server, honest, await gauges(server));
    honest.type(JSON.stringify({ mqtt: server.mqtt, documents, token: TOKEN, device } satisfies HonestJob));
    await target.#report();
    return target;
  }

  /** How the client beside fares. @throws what has gone wrong with it or with the server */
  async check(): Promise<HonestReport> {
    const report = await Promise.race([this.#report(), this.#died()]);
    this.#refuseBad();
    return report;
  }

  /**
   * Whether after all that was tried the server is healthy, holds nothing of it, and ends as it should.
   * @returns how the client beside it fared
   */
  async close(): Promise<HonestReport> {
    const report = await this.check();
    this.#honest.endInput();
    await this.#honest.ended;
    const { status } = await fetch(`${this.server.http}/healthz`);
    if (status !== 200) throw new Error(`the server is not healthy: ${status}`);
    await eventually(async () => leakBetween(this.#idle, await gauges(this.server)));
    const { code, signal } = await this.server.stop();
    if (code !== 0) throw new Error(`the server ended by ${code ?? signal}`);
    this.#refuseBad();
    return report;
  }

  /** Ends everything, whatever state it is in. */
  async abandon(): Promise<void> {
    await Promise.all([this.#honest.stop('SIGKILL'), this.server.stop('SIGKILL')]);
  }

  async #report(): Promise<HonestReport> {
    const from = this.#honest.lines.length;
    let line = 0;
    this.#honest.type('report');
    // A client that fails prints why, and ends.
    return this.#honest.line((text) =>
      line++ < from || !text.startsWith('{') ? undefined : (JSON.parse(text) as HonestReport),
    );
  }

  async #died(): Promise<never> {
    const { code, signal } = await this.server.program.ended;
    throw new Error(`the server ended by ${code ?? signal}:\n${this.#bad().join('\n')}`);
  }

  #refuseBad(): void {
    const bad = this.#bad();
    if (bad.length > 0) throw new Error(bad.join('\n'));
  }

  /** Lines, since the last look, that a server says only when something is wrong with itself. */
  #bad(): string[] {
    const { lines } = this.server.program;
    const fresh = lines.slice(this.#lines);
    this.#lines = lines.length;
    return fresh.filter((line) => !line.startsWith('{') || JSON.parse(line).level >= LEVEL_ERROR);
  }
}

const portOf = (url: string): number => Number(new URL(url).port);
