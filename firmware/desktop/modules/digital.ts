/** `embedded:io/digital` (ECMA-419, section 9): pins by their names on the desktop board. */

import { ask, listen, readPin, tell } from './host.js';

interface Options {
  pin: string;
  mode: number;
  initialValue?: 0 | 1;
  onReadable?: () => void;
}

/** What the program reckons after it has written this pin takes 0.4 ms, and the siren is not to wait for that. */
const AT_ONCE = 'siren';
const listening = new Map<string, () => void>();

class Digital {
  static readonly Input = 0;
  static readonly InputPullUp = 1;
  static readonly Output = 8;
  static readonly Rising = 1;
  static readonly Falling = 2;

  readonly #pin: string;

  constructor({ pin, onReadable, initialValue }: Options) {
    this.#pin = pin;
    if (onReadable !== undefined) listening.set(pin, onReadable);
    if (initialValue !== undefined) this.write(initialValue);
  }

  read(): 0 | 1 {
    return readPin(this.#pin) as 0 | 1;
  }

  write(level: 0 | 1): void {
    const send = this.#pin === AT_ONCE ? ask : tell;
    send('pin.write', { pin: this.#pin, level });
  }
}

listen('edge', ({ head }) => listening.get(head.pin)?.());

export default Digital;
