/** The armed flag in flash, in two slots that are written in turn. */

import type { KeyValueStore } from './board.js';
import { readSealed, viewOf, writeSealed } from './sealed.js';

/** A slot holds the flag and a sequence number; the greater one is the newer. */
const KEYS = ['armed.a', 'armed.b'] as const;
const SLOT_LENGTH = 5;
const SEQUENCE_AT = 1;
/** No single wrong bit makes one of the other. */
const ARMED = 0xa5;
const DISARMED = 0x5a;

type SlotNumber = 0 | 1;
interface Slot {
  number: SlotNumber;
  armed: boolean;
  sequence: number;
}

const other = (number: SlotNumber): SlotNumber => (number === 0 ? 1 : 0);

/**
 * The armed flag as it outlives a power cut: at any instant flash holds the old value or the new one. A slot that was
 * cut while it was being written is damaged, and the other one then still holds the old value, which is right, since
 * the new one was never confirmed. Never written: disarmed. Written and no slot whole: armed, with a fault.
 */
export class Flash {
  readonly #store: KeyValueStore;
  #newest: SlotNumber = 1;
  #sequence = 0;
  /** What flash surely says; undefined when that is in doubt. */
  #stored: boolean | undefined;
  /** The flag as it was found at the start. */
  readonly armedAtStart: boolean;

  constructor(store: KeyValueStore, trace: (line: string) => void) {
    this.#store = store;
    const a = readSlot(store, 0, trace);
    const b = readSlot(store, 1, trace);
    const newest = newer(a, b);
    if (newest !== undefined) {
      this.#newest = newest.number;
      this.#sequence = newest.sequence;
      this.#stored = newest.armed;
    } else if (a === 'absent' && b === 'absent') {
      this.#stored = false;
    } else if (b === 'absent') {
      // The other slot is written next: a cut that erases must not leave flash as if it had never been written.
      this.#newest = 0;
    }
    this.armedAtStart = this.#stored ?? true;
    if (this.#stored === undefined) trace('flash: in doubt: armed with a fault');
  }

  /**
   * Makes flash hold the flag, without a write when it already does. Should the slot whose turn it is be worn out, the
   * other one takes the flag: a power cut in that moment leaves no slot whole, which reads as armed.
   * @returns whether flash holds it now
   */
  store(armed: boolean): boolean {
    if (armed === this.#stored) return true;
    const turn = other(this.#newest);
    const written = this.write(turn, armed) || this.write(other(turn), armed);
    this.#stored = written ? armed : undefined;
    return written;
  }

  private write(number: SlotNumber, armed: boolean): boolean {
    const content = new Uint8Array(SLOT_LENGTH);
    content[0] = armed ? ARMED : DISARMED;
    this.#sequence += 1;
    viewOf(content).setUint32(SEQUENCE_AT, this.#sequence, true);
    if (!writeSealed(this.#store, KEYS[number], content)) return false;
    this.#newest = number;
    return true;
  }
}

function readSlot(
  store: KeyValueStore,
  number: SlotNumber,
  trace: (line: string) => void,
): Slot | 'absent' | 'damaged' {
  const content = readSealed(store, KEYS[number], SLOT_LENGTH);
  if (content === 'absent') return content;
  const flag = content[0];
  if (content !== 'damaged' && (flag === ARMED || flag === DISARMED))
    return { number, armed: flag === ARMED, sequence: viewOf(content).getUint32(SEQUENCE_AT, true) };
  trace(`flash: slot ${KEYS[number]} is damaged`);
  return 'damaged';
}

function newer(a: Slot | string, b: Slot | string): Slot | undefined {
  if (typeof a === 'string') return typeof b === 'string' ? undefined : b;
  return typeof b === 'string' || a.sequence > b.sequence ? a : b;
}
