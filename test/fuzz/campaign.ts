import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fuzz } from './fuzz.js';
import type { HonestReport } from './honest-client.js';
import { prepare } from './prepare.js';
import { Random } from './random.js';
import { shrink } from './shrink.js';
import { Target } from './target.js';

export interface CampaignOptions {
  readonly seed: number;
  /** The first input. */
  readonly index: number;
  /** Units after which it is enough. */
  readonly count: number;
  /** Or when so much time is over. */
  readonly seconds: number;
  /** Called with how far it is. */
  readonly progress?: (report: CampaignReport) => void;
  /** Called at once with what went wrong; finding the input that did it takes longer. */
  readonly alarm?: (what: Error) => void;
}

export interface CampaignReport extends HonestReport {
  readonly units: number;
}

/** An input that does harm, as small as it could be made. */
export class Harm extends Error {
  override name = 'Harm';
}

interface Try<Input> {
  readonly index: number;
  readonly input: Input;
}

/** How long an input that does harm is made smaller. Each try takes a server of its own. */
const SHRINKING_MS = 120_000;

/** Puts input after input to a server. @throws Harm */
export async function campaign<Input>(fuzz: Fuzz<Input>, options: CampaignOptions): Promise<CampaignReport> {
  const data = mkdtempSync(join(tmpdir(), `twin-fuzz-${fuzz.name}-`));
  try {
    await prepare(data);
    return await new Campaign(fuzz, options, data).run();
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

class Campaign<Input> {
  readonly #fuzz: Fuzz<Input>;
  readonly #options: CampaignOptions;
  readonly #data: string;

  constructor(fuzz: Fuzz<Input>, options: CampaignOptions, data: string) {
    this.#fuzz = fuzz;
    this.#options = options;
    this.#data = data;
  }

  async run(): Promise<CampaignReport> {
    const target = await Target.open(this.#data);
    try {
      const units = await this.#storm(target);
      return { units, ...(await target.close()) };
    } finally {
      await target.abandon();
    }
  }

  /** @throws Harm */
  async #storm(target: Target): Promise<number> {
    const { index, count, seconds, progress } = this.#options;
    const end = performance.now() + 1000 * seconds;
    let units = 0;
    for (let next = index; units < count && performance.now() < end; ) {
      const tries = this.#tries(next, count - units);
      try {
        const report = await this.#put(tries, target);
        units += this.#sizeOf(tries);
        progress?.({ units, ...report });
      } catch (error) {
        this.#options.alarm?.(error as Error);
        await target.abandon();
        throw await this.#narrowed(tries, error as Error);
      }
      next += tries.length;
    }
    return units;
  }

  /** The next inputs, as many as may be tried at the same time and as make up so many units. */
  #tries(from: number, units: number): Try<Input>[] {
    const tries: Try<Input>[] = [];
    while (tries.length < this.#fuzz.atOnce && this.#sizeOf(tries) < units) {
      const index = from + tries.length;
      tries.push({ index, input: this.#fuzz.make(new Random(this.#options.seed, index)) });
    }
    return tries;
  }

  #sizeOf(tries: readonly Try<Input>[]): number {
    return tries.reduce((sum, { input }) => sum + this.#fuzz.size(input), 0);
  }

  /** @throws what goes wrong first */
  async #put(tries: readonly Try<Input>[], target: Target): Promise<HonestReport> {
    const { atOnce } = this.#fuzz;
    await Promise.all(tries.map(({ index, input }) => this.#fuzz.attempt(input, target, index % atOnce)));
    return target.check();
  }

  /** What one of the inputs does by itself, or what all did. */
  async #narrowed(tries: readonly Try<Input>[], error: Error): Promise<Harm> {
    const { name, show, smaller } = this.#fuzz;
    const { seed } = this.#options;
    const harmful = (await this.#faultOf(tries))?.of;
    if (harmful === undefined) {
      const [first, last] = [tries[0]?.index, tries.at(-1)?.index];
      const inputs = tries.map(({ input }) => show(input));
      return new Harm(
        `seed ${seed}, up to index ${last}: ${error.message}\nnone from ${first} does it alone:\n${inputs.join('\n')}`,
      );
    }
    const { index } = harmful;
    const end = performance.now() + SHRINKING_MS;
    let why = error;
    const harms = async (input: Input): Promise<boolean> => {
      const fault = await this.#faultOf([{ index, input }]);
      why = fault?.error ?? why;
      return fault !== undefined;
    };
    const smallest = await shrink(harmful.input, smaller, harms, () => performance.now() < end);
    return new Harm(
      `npm run fuzz -- ${name} --seed ${seed} --index ${index} --count 1\n${why.message}\n${show(smallest)}`,
    );
  }

  /** The first of the inputs that does harm by itself, tried one after the other on a server of their own. */
  async #faultOf(tries: readonly Try<Input>[]): Promise<{ of: Try<Input>; error: Error } | undefined> {
    const target = await Target.open(this.#data);
    try {
      for (const each of tries) {
        try {
          await this.#put([each], target);
        } catch (error) {
          return { of: each, error: error as Error };
        }
      }
      return undefined;
    } finally {
      await target.abandon();
    }
  }
}
