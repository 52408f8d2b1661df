/**
 * What the panel keeps in flash, in two slots that are written in turn.
 *
 * Each arming and each disarming writes flash. The panel bounds the armings, and all else that a document may change: 8,640
 * a day on average, 5,000 at once. An arming costs six writes at most, the disarming included: its exit delay, the end of
 * that, the entry delay, the siren's beginning, one step of its time, the disarming; without delays it costs four. An alarm
 * with the default cut-off of 180 s takes at most 38 writes: its beginning, one every 5 s, its end and the closing door. An
 * alarm that never stops, which only a panel with one contact has, takes 18,240 writes a day. The ESP32's NVS partition has
 * 6 pages of 100,000 erasures each, one of them always free, and 126 entries a page, of which a write takes 14 at most with
 * one contact, 30 with eight: 4.5 or 2 million writes. With one contact that is 130 days of arming as often as the panel
 * allows, or 240 days of an alarm that never stops; with eight contacts and delays it is 38 days of arming.
 */

import type { KeptAlarm } from './alarm.js';
import type { KeyValueStore } from './board.js';
import { type DocumentId, NO_DOCUMENT } from './desired.js';
import { readSealed, writeSealed } from './sealed.js';

export interface Kept extends KeptAlarm {
  /** The `desired` document that was handled last. */
  readonly wish: DocumentId;
  /** What it asked for, where that is more than the state says. */
  readonly asked?: Asked | undefined;
  /** What the key asked for, as long as the server does not know, and when it was used, in milliseconds since 1970. */
  readonly door?: { readonly armed: boolean; readonly at?: number | undefined } | undefined;
}

interface Asked {
  readonly alarm_armed: boolean;
  readonly mode?: string | undefined;
  readonly bypass?: readonly string[] | undefined;
  readonly request?: string | undefined;
}

/** Written as JSON. */
interface Slot {
  /** From 1; the greater one is the newer. */
  sequence: number;
  kept: Kept;
}
type Found = Slot | 'absent' | 'damaged';

/**
 * At any instant of a power cut flash holds the old values or the new ones. A slot that was cut while it was being
 * written is damaged; the other one still holds the old values, which are right, since the new ones were never
 * confirmed. Never written: disarmed. Written and no slot whole: armed, with a fault.
 */
export class Flash {
  private readonly blocks: KeyValueStore;
  private newest: 0 | 1;
  private sequence: number;
  /** The values that flash holds; undefined when that is in doubt. */
  private stored: string | undefined;
  /** The values that count, whether or not flash has taken them. */
  kept: Kept;

  constructor(store: KeyValueStore, trace: (line: string) => void) {
    this.blocks = store;
    const a = readSlot(store, 0, trace);
    const b = readSlot(store, 1, trace);
    this.newest = sequenceOf(a) > sequenceOf(b) ? 0 : 1;
    const newest = this.newest === 0 ? a : b;
    this.sequence = sequenceOf(newest);
    const isInDoubt = a === 'damaged' || b === 'damaged';
    this.kept =
      typeof newest === 'string' ? { armed: isInDoubt, wish: { ...NO_DOCUMENT }, rung: 0 } : newest.kept;
    if (typeof newest === 'string' && isInDoubt) {
      trace('flash: in doubt: armed with a fault');
      // The other slot is written next: a cut that erases must not leave flash as if it had never been written.
      if (b === 'absent') this.newest = 0;
    } else {
      this.stored = JSON.stringify(this.kept);
    }
  }

  /** False while it is in doubt what flash holds: it was found damaged, or the last write failed. */
  get isSound(): boolean {
    return this.stored !== undefined;
  }

  /**
   * Keeps these values, in memory and in flash. Flash is not written when it holds them already. When one slot is worn
   * out, the other one takes them; a power cut in that moment leaves no whole slot, which reads as armed.
   * @returns whether flash holds them now
   */
  store(kept: Kept): boolean {
    const text = JSON.stringify(kept);
    this.kept = kept;
    if (text === this.stored) return true;
    const turn = this.newest === 0 ? 1 : 0;
    const written = this.write(turn, kept) || this.write(this.newest, kept);
    this.stored = written ? text : undefined;
    return written;
  }

  private write(number: 0 | 1, kept: Kept): boolean {
    this.sequence += 1;
    const slot: Slot = { sequence: this.sequence, kept };
    const content = new Uint8Array(ArrayBuffer.fromString(JSON.stringify(slot)));
    if (!writeSealed(this.blocks, keyOf(number), content)) return false;
    this.newest = number;
    return true;
  }
}

function readSlot(store: KeyValueStore, number: 0 | 1, trace: (line: string) => void): Found {
  const key = keyOf(number);
  const content = readSealed(store, key);
  if (content === 'absent') return content;
  try {
    if (content !== 'damaged') return JSON.parse(String.fromArrayBuffer(content.buffer));
  } catch {
    // Whole, and written by other firmware.
  }
  trace(`flash: slot ${key} is damaged`);
  return 'damaged';
}

const keyOf = (number: 0 | 1): string => (number === 0 ? 'armed.a' : 'armed.b');

const sequenceOf = (found: Found): number => (typeof found === 'string' ? 0 : found.sequence);
