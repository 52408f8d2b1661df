import { type Leadership, whileLeading } from '../leadership.js';
import { Bridge, type BridgeParts } from './bridge.js';
import { COMMAND_OUTCOMES, type CommandOutcome } from './orders.js';
import type { Counters } from './session.js';

type Parts = Omit<BridgeParts, 'counters' | 'commands'> & { readonly leadership: Leadership };

/** The bridges of one server: a new one each time that it leads, which goes on with what the one before it has kept. */
export class Bridges {
  readonly counters: Counters = { connections: 0, published: 0, passes: 0 };
  readonly commands = new Map<CommandOutcome, number>(COMMAND_OUTCOMES.map((outcome) => [outcome, 0]));
  readonly #parts: Parts;
  #present: Bridge | undefined;
  /** When the bridge before has gone. */
  #gone: Promise<void> = Promise.resolve();
  #follow = (): void => undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get isUp(): boolean {
    return this.#present?.session.isUp ?? false;
  }

  /** How many topics wait for their turn. */
  get waiting(): number {
    return this.#present?.session.waiting ?? 0;
  }

  /** How many panels are shown. */
  get panels(): number {
    return this.#present?.panels ?? 0;
  }

  /** Connects to the broker as soon as this server leads. */
  begin(): void {
    this.#follow = whileLeading(this.#parts.leadership, () => this.#lead());
  }

  /** Resolves when the last bridge has said that it goes. */
  async close(): Promise<void> {
    this.#follow();
    await this.#gone;
  }

  #lead(): () => void {
    const bridge = new Bridge({ ...this.#parts, counters: this.counters, commands: this.commands });
    this.#present = bridge;
    // The broker knows both by the same name, and keeps one of them.
    this.#gone.then(() => {
      if (this.#present === bridge) bridge.begin();
    });
    return () => {
      this.#present = undefined;
      this.#gone = Promise.all([this.#gone, bridge.close()]).then(() => undefined);
    };
  }
}
