import { LimitReached, ProtocolViolation } from './violation.js';

/** The longest packets, in bytes as their remaining length counts them. */
export interface PacketBounds {
  /** Of the first packet, which must be a CONNECT. */
  connectBytes: number;
  /** Of every later packet. */
  packetBytes: number;
}

const CONNECT_HEADER = 0x10;
const LENGTH_BYTES = 4;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into whole packets, however it was cut before. A packet is judged by its length field before
 * a byte of it is kept, and one that comes in pieces costs its own length, whatever the size of the pieces.
 */
export class Framing {
  readonly #bounds: PacketBounds;
  #first = true;
  /** Given and not cut yet. */
  #bytes: Buffer = NOTHING;
  #at = 0;
  /** A packet whose rest has not come, as long as its length field says. */
  #partial: Buffer | undefined;
  #filled = 0;

  constructor(bounds: PacketBounds) {
    this.#bounds = bounds;
  }

  push(chunk: Buffer): void {
    this.#bytes = this.#at < this.#bytes.length ? Buffer.concat([this.#rest(), chunk]) : chunk;
    this.#at = 0;
  }

  /**
   * The next whole packet, or undefined until more is pushed. It may share memory with what was pushed.
   * @throws ProtocolViolation [MQTT-3.1.0-1] when the first packet is not a CONNECT, or for a length over the bounds
   */
  next(): Buffer | undefined {
    const packet = this.#partial === undefined ? this.#cut() : this.#fill(this.#partial);
    if (packet !== undefined) this.#first = false;
    if (this.#at === this.#bytes.length) this.#keep(NOTHING);
    return packet;
  }

  #cut(): Buffer | undefined {
    const start = this.#at;
    const header = this.#bytes[start];
    if (header === undefined) return undefined;
    if (this.#first && header !== CONNECT_HEADER) {
      throw new ProtocolViolation('the first packet is not a CONNECT [MQTT-3.1.0-1]');
    }
    const body = bodyOffset(this.#bytes, start);
    if (body === undefined) return this.#keep(Buffer.from(this.#rest()));
    const length = remainingLength(this.#bytes, start, body);
    const limit = this.#first ? this.#bounds.connectBytes : this.#bounds.packetBytes;
    if (length > limit) throw new LimitReached(`a packet of ${length} bytes; ${limit} are allowed`);
    const end = body + length;
    if (end <= this.#bytes.length) {
      this.#at = end;
      return this.#bytes.subarray(start, end);
    }
    this.#partial = Buffer.allocUnsafe(end - start);
    this.#filled = 0;
    return this.#fill(this.#partial);
  }

  #fill(partial: Buffer): Buffer | undefined {
    const copied = this.#bytes.copy(partial, this.#filled, this.#at);
    this.#at += copied;
    this.#filled += copied;
    if (this.#filled < partial.length) return undefined;
    this.#partial = undefined;
    return partial;
  }

  #rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  #keep(bytes: Buffer): undefined {
    this.#bytes = bytes;
    this.#at = 0;
  }
}

/**
 * Where a packet's body begins, after the one to four bytes of its length field; undefined while these are not all there.
 * @throws ProtocolViolation for a length field that goes on after four bytes
 */
export function bodyOffset(bytes: Buffer, packet = 0): number | undefined {
  for (let at = packet + 1; at <= packet + LENGTH_BYTES; at++) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    if (byte < 0x80) return at + 1;
  }
  throw new ProtocolViolation('the length field is longer than four bytes (MQTT 3.1.1, 2.2.3)');
}

function remainingLength(bytes: Buffer, packet: number, body: number): number {
  let length = 0;
  for (let at = body - 1; at > packet; at--) length = length * 0x80 + ((bytes[at] ?? 0) & 0x7f);
  return length;
}
