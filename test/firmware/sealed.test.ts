import './xs-globals.js';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSealed, writeSealed } from '../../firmware/sealed.js';
import { MemoryStore } from './memory-store.js';

const KEY = 'armed.a';

test('a block ends with the CRC-32 of its content', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (content) => {
      const store = new MemoryStore();
      assert.ok(writeSealed(store, KEY, content));
      const block = Buffer.from(store.blocks.get(KEY) as Uint8Array);
      assert.equal(Uint8Array.from(block.subarray(0, -4)), content);
      assert.is(block.readUInt32LE(content.length), crc32(content));
      assert.equal(readSealed(store, KEY), content);
    }),
  );
});

test('a block of which any bit has changed is damaged', () => {
  const store = new MemoryStore();
  writeSealed(store, KEY, Uint8Array.of(1, 2, 3));
  const block = store.blocks.get(KEY) as Uint8Array;
  for (let bit = 0; bit < 8 * block.length; bit++) {
    const changed = Uint8Array.from(block);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    store.blocks.set(KEY, changed);
    assert.is(readSealed(store, KEY), 'damaged');
  }
});

test('a block that reads back as another one, or as none, does not count as written', () => {
  const isWritten = (wear: (block: Uint8Array) => Uint8Array | undefined): boolean => {
    const store = new MemoryStore();
    store.wear = (_before, block) => wear(block);
    return writeSealed(store, KEY, Uint8Array.of(1, 2, 3));
  };
  assert.ok(isWritten((block) => block));
  assert.not.ok(isWritten(() => undefined));
  assert.not.ok(isWritten((block) => block.slice(0, -1)));
  assert.not.ok(isWritten((block) => Uint8Array.of(9, ...block.slice(1))));
});

test.run();
