import type { Registry } from 'prom-client';

/**
 * One number, kept where it arises and read only when somebody asks for it: of a counter how often it has happened since
 * the start, of a gauge how much there is now.
 */
export interface Metric {
  readonly type: 'counter' | 'gauge';
  /** As Prometheus names them: snake case, a counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  /** A number, or one for each value of the label. */
  readonly read: () => number | ReadonlyMap<string | number, number>;
  /** The name of the label, where there is one. */
  readonly label?: string;
}

export interface MetricsText {
  readonly text: string;
  readonly contentType: string;
}

/**
 * The numbers of the process (memory, processor time, event loop, garbage collection) and those given, as text for
 * Prometheus. Nothing is loaded and nothing is watched before they are first asked for.
 */
export class Metrics {
  readonly #metrics: readonly Metric[];
  #registry: Promise<Registry> | undefined;

  constructor(metrics: readonly Metric[]) {
    this.#metrics = metrics;
  }

  async read(): Promise<MetricsText> {
    this.#registry ??= register(this.#metrics);
    const registry = await this.#registry;
    return { text: await registry.metrics(), contentType: registry.contentType };
  }
}

async function register(metrics: readonly Metric[]): Promise<Registry> {
  const { collectDefaultMetrics, Counter, Gauge, Registry: NewRegistry } = await import('prom-client');
  const registry = new NewRegistry();
  collectDefaultMetrics({ register: registry });
  for (const { type, name, help, read, label } of metrics) {
    const options = { name, help, registers: [registry], labelNames: label === undefined ? [] : [label] };
    const tell = (set: (labels: Record<string, string | number>, value: number) => void): void => {
      const now = read();
      if (typeof now === 'number') return set({}, now);
      for (const [of, value] of now) set(label === undefined ? {} : { [label]: of }, value);
    };
    if (type === 'gauge') {
      const gauge = new Gauge({
        ...options,
        collect: () => tell((labels, value) => gauge.set(labels, value)),
      });
    } else {
      const collect = () => {
        counter.reset();
        tell((labels, value) => counter.inc(labels, value));
      };
      const counter = new Counter({ ...options, collect });
    }
  }
  return registry;
}
