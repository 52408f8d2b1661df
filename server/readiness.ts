import type { Logger } from 'pino';
import type { ServerWarning } from '../shared/rest.js';
import type { Metric } from './metrics.js';

/** One thing that must be so before traffic may come. */
export interface Check {
  /** One word, such as `writable`. */
  readonly name: string;
  readonly ok: boolean;
  /** What an owner should know. Traffic may come all the same. */
  readonly warning?: ServerWarning | undefined;
}

const TEXTS: Readonly<Record<ServerWarning, string>> = {
  one_disk: 'an acknowledgement is one disk only: no standby of the database has to have the write',
  clock_off:
    "the clock of this machine is not the database's: certificates are checked, and log lines dated, by a wrong clock",
};

const WARNINGS = Object.keys(TEXTS) as ServerWarning[];

/** Times are in milliseconds. */
const READINESS_LIMITS = {
  /** Between two looks at the checks for the log. */
  lookMs: 1000,
  /** A balancer that has asked within this time may still send clients. */
  watchedMs: 10_000,
  /** For how long a server that stops goes on serving, so that its balancer sees that it is not ready. */
  drainMs: 1500,
};

export type ReadinessLimits = Readonly<typeof READINESS_LIMITS>;

/** Whether this server may take traffic. The parts of the server add their checks, which must cost nothing. */
export class Readiness {
  readonly #limits: ReadinessLimits;
  readonly #checks: (() => Check)[] = [() => ({ name: 'running', ok: !this.#isStopping })];
  #isStopping = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(limits: Partial<ReadinessLimits> = {}) {
    this.#limits = { ...READINESS_LIMITS, ...limits };
  }

  add(check: () => Check): void {
    this.#checks.push(check);
  }

  get checks(): readonly Check[] {
    return this.#checks.map((check) => check());
  }

  get warnings(): readonly ServerWarning[] {
    return this.checks.flatMap(({ warning }) => warning ?? []);
  }

  /** The checks, for a balancer that sends clients here while they are all right. */
  ask(): readonly Check[] {
    this.#askedAt = performance.now();
    return this.checks;
  }

  /** The server stops. Resolves when a balancer that has asked lately had the time to see that. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    const { watchedMs, drainMs } = this.#limits;
    if (performance.now() - this.#askedAt > watchedMs) return;
    await new Promise((drained) => setTimeout(drained, drainMs));
  }

  /** Logs when a check fails and when it is right again, and likewise each warning. Returns the end of that. */
  log(log: Logger): () => void {
    let known = { failing: new Set<string>(), warnings: new Set<ServerWarning>() };
    const look = () => {
      const now = { failing: new Set(failing(this.checks)), warnings: new Set(this.warnings) };
      for (const check of without(now.failing, known.failing)) log.error({ check }, 'not ready');
      for (const check of without(known.failing, now.failing)) log.info({ check }, 'ready again');
      for (const warning of without(now.warnings, known.warnings)) log.warn({ warning }, TEXTS[warning]);
      for (const warning of without(known.warnings, now.warnings))
        log.info({ warning }, 'the warning is over');
      known = now;
    };
    look();
    const timer = setInterval(look, this.#limits.lookMs).unref();
    return () => clearInterval(timer);
  }
}

export const isReady = (checks: readonly Check[]): boolean => checks.every(({ ok }) => ok);

const failing = (checks: readonly Check[]): string[] =>
  checks.filter(({ ok }) => !ok).map(({ name }) => name);

const without = <T>(some: ReadonlySet<T>, others: ReadonlySet<T>): T[] =>
  [...some].filter((each) => !others.has(each));

export const readinessMetrics = (readiness: Readiness): Metric[] => [
  {
    type: 'gauge',
    name: 'twin_ready',
    help: '1 while the server may take traffic, else 0',
    read: () => Number(isReady(readiness.checks)),
  },
  {
    type: 'gauge',
    name: 'twin_ready_check',
    help: '1 for each check of that which is right, else 0',
    label: 'check',
    read: () => new Map(readiness.checks.map(({ name, ok }) => [name, Number(ok)])),
  },
  {
    type: 'gauge',
    name: 'twin_warning',
    help: '1 for each warning that an owner should know, else 0',
    label: 'warning',
    read: () => new Map(WARNINGS.map((warning) => [warning, Number(readiness.warnings.includes(warning))])),
  },
];
