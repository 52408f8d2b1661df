import type { Registry } from 'prom-client';
import { once } from './memo.js';

/**
 * One number. It is kept where it arises and read when the metrics are asked for. A counter says how often something
 * has happened since the start, a gauge how much there is now.
 */
export interface Metric {
  readonly type: 'counter' | 'gauge';
  /** As Prometheus names them: snake case, a counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  /** A number, or one for each value of the label. */
  readonly read: () => number | ReadonlyMap<string | number, number>;
  /** The name of the label, when there is one. */
  readonly label?: string;
}

/** Which of several servers it is whose numbers these are, as a metric that says so in its label. */
export const nodeMetrics = (node: string | undefined): Metric[] =>
  node === undefined
    ? []
    : [
        {
          type: 'gauge',
          name: 'twin_node_info',
          help: 'always 1; its label is the id of this server, as in its log',
          label: 'node',
          read: () => new Map([[node, 1]]),
        },
      ];

/**
 * The numbers of the process (memory, processor time, event loop, garbage collection) and the given ones, as text for
 * Prometheus. The library is loaded, and begins to measure, when the metrics are first asked for.
 */
export class Metrics {
  readonly #registry: () => Promise<Registry>;

  constructor(metrics: readonly Metric[]) {
    this.#registry = once(() => register(metrics));
  }

  async read(): Promise<{ text: string; contentType: string }> {
    const registry = await this.#registry();
    return { text: await registry.metrics(), contentType: registry.contentType };
  }
}

async function register(metrics: readonly Metric[]): Promise<Registry> {
  const { collectDefaultMetrics, Counter, Gauge, Registry: NewRegistry } = await import('prom-client');
  const registry = new NewRegistry();
  collectDefaultMetrics({ register: registry });
  for (const { type, name, help, read, label } of metrics) {
    const options = { name, help, registers: [registry], labelNames: label === undefined ? [] : [label] };
    const report = (set: (labels: Record<string, string | number>, value: number) => void): void => {
      const now = read();
      if (typeof now === 'number') return set({}, now);
      for (const [of, value] of now) set(label === undefined ? {} : { [label]: of }, value);
    };
    if (type === 'gauge') {
      const gauge = new Gauge({
        ...options,
        collect: () => report((labels, value) => gauge.set(labels, value)),
      });
    } else {
      const collect = () => {
        counter.reset();
        report((labels, value) => counter.inc(labels, value));
      };
      const counter = new Counter({ ...options, collect });
    }
  }
  return registry;
}
