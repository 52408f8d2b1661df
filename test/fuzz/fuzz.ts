import type { Random } from './random.js';
import type { Target } from './target.js';

/** One kind of bad input. */
export interface Fuzz<Input> {
  /** By which it is asked for. */
  readonly name: string;
  /** What is counted, such as packets. */
  readonly unit: string;
  /** Inputs that are tried at the same time. */
  readonly atOnce: number;
  /** The same input for the same random numbers. */
  make(random: Random): Input;
  /** How many units an input is. */
  size(input: Input): number;
  /**
   * Puts the input to the server; rejects when what comes back is wrong.
   * @param place from 0 to below `atOnce`: no other that is tried at the same time has it
   */
  attempt(input: Input, target: Target, place: number): Promise<void>;
  /** The input with something left out, the most first. */
  smaller(input: Input): Iterable<Input>;
  /** As a person can put it to the server again. */
  show(input: Input): string;
}
