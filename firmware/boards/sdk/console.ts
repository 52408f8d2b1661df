/** Trace lines on a serial port: a release build of the SDK traces nowhere. */

/** `embedded:io/serial` (ECMA-419), as far as it is used. */
interface SerialPort {
  /** @throws when there is no room for all of it */
  write(bytes: ArrayBuffer): void;
}

/** How many characters may wait for the port, at 115,200 baud a fifth of a second. */
const WAITING_LIMIT = 2048;
const LAST_ASCII = 0x7e;

export class SerialConsole {
  private readonly port: SerialPort;
  private waiting = '';
  private room = 0;
  private dropped = 0;

  /** @param open opens the port; `onWritable` tells how many bytes it takes now */
  constructor(open: (onWritable: (count: number) => void) => SerialPort) {
    this.port = open((count) => {
      this.room = count;
      this.flush();
    });
  }

  /** What comes faster than the port takes it is dropped by whole lines, and counted. */
  write(line: string): void {
    const note = this.dropped === 0 ? '' : `(${this.dropped} lines dropped)\r\n`;
    const text = `${note}${line}\r\n`;
    if (this.waiting.length + text.length > WAITING_LIMIT) {
      this.dropped += 1;
      return;
    }
    this.dropped = 0;
    this.waiting += text;
    this.flush();
  }

  private flush(): void {
    const count = Math.min(this.room, this.waiting.length);
    if (count === 0) return;
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at++) bytes[at] = Math.min(this.waiting.charCodeAt(at), LAST_ASCII);
    this.waiting = this.waiting.slice(count);
    this.room -= count;
    this.port.write(bytes.buffer);
  }
}
