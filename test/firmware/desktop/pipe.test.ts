import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeNetstring, NetstringReader } from '../../../firmware/desktop/pipe.js';

const BODIES = ['', 'a', '4:abcd,', 'x'.repeat(300)];
const STREAM = Buffer.concat(BODIES.map((body) => encodeNetstring('?', Buffer.from(body))));

function read(...chunks: Buffer[]): string[] {
  const reader = new NetstringReader();
  const frames: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame.toString());
  }
  return frames;
}

const EXPECTED = BODIES.map((body) => `?${body}`);

test('a frame is its length, a colon, its kind, its bytes and a comma', () => {
  assert.is(encodeNetstring('e', Buffer.from('abc')).toString(), '4:eabc,');
  assert.is(encodeNetstring('/', Buffer.from('é')).toString(), '3:/é,');
});

test('a stream gives the same frames wherever it is cut', () => {
  for (let at = 0; at <= STREAM.length; at++)
    assert.equal(read(STREAM.subarray(0, at), STREAM.subarray(at)), EXPECTED, `cut at ${at}`);
});

test('a stream that comes byte by byte gives the same frames', () => {
  assert.equal(read(...Array.from(STREAM, (byte) => Buffer.from([byte]))), EXPECTED);
});

const NONSENSE = [
  'abc:',
  ':',
  ' 1:a,',
  '-1:a,',
  '1e1:a',
  '1.0:a,',
  '0x1:a,',
  '1234567890',
  'no colon at all',
];
for (const text of NONSENSE) {
  test(`"${text}" is no netstring`, () => {
    assert.throws(() => read(Buffer.from(text)), /not a netstring/);
  });
}

test('a frame that does not end with a comma is refused', () => {
  assert.throws(() => read(Buffer.from('1:a;')), /without its comma/);
});

test.run();
