/** `embedded:io/analog` (ECMA-419, section 9): voltages by the names of their pins on the desktop board. */

import { readPin } from './host.js';

class Analog {
  readonly resolution = 12;
  readonly #pin: string;

  constructor({ pin }: { pin: string }) {
    this.#pin = pin;
  }

  /** 0 to 4095. */
  read(): number {
    return Math.round(readPin(this.#pin) * 4095);
  }
}

export default Analog;
