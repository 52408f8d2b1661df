import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolViolation } from '../../../server/mqtt/packet.js';
import { Framing } from '../../../server/mqtt/read.js';

const BOUNDS = { connectBytes: 8 * 1024, packetBytes: 128 * 1024 };

function packetOf(header: number, body: Buffer): Buffer {
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([header, ...length]), body]);
}

/** The chunks come in memory that is used again for each. */
function framesOf(chunks: Buffer[]): Buffer[] {
  const framing = new Framing(BOUNDS);
  const frames: Buffer[] = [];
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk);
    framing.push(lent);
    for (let frame = framing.next(); frame !== undefined; frame = framing.next())
      frames.push(Buffer.from(frame));
    framing.keep();
    lent.fill(0xee);
  }
  return frames;
}

test('a stream gives the same packets wherever it is cut', () => {
  const body = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
  const later = fc
    .tuple(fc.integer({ min: 0, max: 255 }), body)
    .map(([header, bytes]) => packetOf(header, bytes));
  const stream = fc.tuple(body, fc.array(later, { maxLength: 8 }));
  const cuts = fc.array(fc.nat({ max: 4000 }), { maxLength: 12 });
  fc.assert(
    fc.property(stream, cuts, ([first, rest], places) => {
      const packets = [packetOf(0x10, first), ...rest];
      const bytes = Buffer.concat(packets);
      const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
        (a, b) => a - b,
      );
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      assert.equal(framesOf(chunks), packets);
      assert.equal(framesOf([...bytes].map((byte) => Buffer.from([byte]))), packets);
    }),
  );
});

test('chunks that come while packets still wait are kept in order', () => {
  const packets = [
    packetOf(0x10, Buffer.from('one')),
    packetOf(0x30, Buffer.from('two')),
    packetOf(0x30, Buffer.from('3')),
  ];
  const bytes = Buffer.concat(packets);
  const framing = new Framing(BOUNDS);
  for (const byte of bytes) {
    const lent = Buffer.from([byte]);
    framing.push(lent);
    framing.keep();
    lent.fill(0xee);
  }
  assert.equal([framing.next(), framing.next(), framing.next(), framing.next()], [...packets, undefined]);
});

const refuses = (...chunks: Buffer[]) =>
  assert.throws(
    () => framesOf(chunks),
    (error: unknown) => error instanceof ProtocolViolation,
  );

test('the first packet must be a CONNECT by its first byte', () => {
  for (let header = 0; header <= 0xff; header++) {
    if (header === 0x10) assert.equal(framesOf([Buffer.from([header])]), []);
    else refuses(Buffer.from([header]));
  }
});

test('a packet that is too long is refused by its length field, before its body comes', () => {
  refuses(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
  refuses(packetOf(0x10, Buffer.alloc(BOUNDS.connectBytes + 1)).subarray(0, 3));
  refuses(
    packetOf(0x10, Buffer.alloc(5)),
    packetOf(0x30, Buffer.alloc(BOUNDS.packetBytes + 1)).subarray(0, 4),
  );
});

test('packets of exactly the allowed length pass', () => {
  const packets = [
    packetOf(0x10, Buffer.alloc(BOUNDS.connectBytes)),
    packetOf(0x30, Buffer.alloc(BOUNDS.packetBytes)),
  ];
  assert.equal(framesOf(packets), packets);
});

test('a length field of five bytes is refused', () => {
  refuses(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80]));
});

test.run();
