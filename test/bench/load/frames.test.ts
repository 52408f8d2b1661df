import { generate } from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { frames } from './frames.js';

const publish = (payload: string): Buffer =>
  generate({ cmd: 'publish', topic: 'a/b', payload, qos: 1, messageId: 7, dup: false, retain: false });

const stream = Buffer.concat([
  generate({ cmd: 'puback', messageId: 258 }),
  publish('short'),
  publish('long'.repeat(100)),
  generate({ cmd: 'pingresp' }),
]);

function cutAt(...places: number[]): string[] {
  const found: string[] = [];
  const feed = frames((type, bytes, start, body, end) => {
    found.push(`${type} ${bytes.toString('hex', start, body)} ${bytes.toString('latin1', body, end)}`);
  });
  const edges = [0, ...places, stream.length];
  for (const [index, edge] of edges.slice(1).entries()) {
    const chunk = stream.subarray(edges[index], edge);
    feed(Buffer.concat([chunk, Buffer.from('left over from before')]), chunk.length);
  }
  return found;
}

test('packets are found whole wherever the stream is cut', () => {
  const whole = cutAt();
  assert.is(whole.length, 4);
  assert.ok(whole[2]?.startsWith('3 329703 ') && whole[2].endsWith('long'.repeat(100)));
  for (let first = 0; first <= stream.length; first += 1) {
    assert.equal(cutAt(first), whole);
    assert.equal(cutAt(first, Math.min(first + 1, stream.length)), whole);
  }
});

test.run();
