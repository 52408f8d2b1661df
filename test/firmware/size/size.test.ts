import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { skipping } from '../../programs.js';
import { readManifest } from '../manifests.js';
import { bytecodeOf, sumsOf } from './bytecode.js';
import { build, type Engine } from './engine.js';
import { measureHeap, total } from './heap.js';
import { BYTECODE_LIMIT, HEAD_ROOM, HEAP_LIMIT, PROOF_LIMIT } from './limits.js';
import { findToolchain } from './toolchain.js';

const EVENTS = 2000;

const toolchain = findToolchain();
const needs32Bits = 'missing' in toolchain ? skipping(toolchain.missing) : test;

let engine: Engine;
test.before(() => {
  if ('compiler' in toolchain) engine = build(toolchain);
});

needs32Bits("the firmware's own bytecode is within its bar, the ESP32's board included", () => {
  const sizes = bytecodeOf('manifests/esp32.json', engine);
  assert.ok([...sizes.values()].every((size) => size > 0));
  assert.ok(sizes.has('firmware/boards/esp32.ts'));
  const { panel, proof } = sumsOf(sizes);
  assert.ok(panel <= BYTECODE_LIMIT, `${panel} bytes`);
  assert.ok(proof > 0 && proof <= PROOF_LIMIT, `${proof} bytes`);
});

needs32Bits('a panel that is online is within the bar of its heap, and does not grow', async () => {
  const { slotBytes, steady, growth } = await measureHeap(engine, EVENTS);
  assert.is(slotBytes, 16);
  assert.ok(steady.slots > 0 && steady.chunks > 0);
  assert.ok(total(steady) <= HEAP_LIMIT, `${total(steady)} bytes`);
  assert.ok(total(growth) <= 0, `${total(growth)} bytes`);
});

needs32Bits('the machine that the manifest asks for has the head-room that is stated', async () => {
  const { slotBytes, steady } = await measureHeap(engine, 0);
  const { heap, chunk } = readManifest('manifests/manifest.json').creation as Record<
    'heap' | 'chunk',
    { initial: number }
  >;
  assert.ok(heap.initial * slotBytes >= HEAD_ROOM.slots * steady.slots);
  assert.ok(chunk.initial >= HEAD_ROOM.chunks * steady.chunks);
});

test.run();
