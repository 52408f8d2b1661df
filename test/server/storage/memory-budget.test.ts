import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type MemoryBudget, memoryBudget } from '../../../server/storage/memory-budget.js';

const test = suite('memory budget');

const MIB = 1024 * 1024;

/** In MiB: the setting, the limit of the heap, and what follows. */
const TABLE: [name: string, memory: number, heap: number, documents: number, changes: number][] = [
  ['the default beside a large heap', 256, 4345, 256, 64],
  ['more memory', 1024, 4345, 1024, 256],
  ['the least memory', 1, 4345, 1, 0.25],
  ['the default beside the heap of a machine with 1 GiB', 256, 304, 60, 40],
  ['the default beside a heap of 64 MiB', 256, 112, 12, 8],
  ['a heap that has hardly room for the program', 256, 40, 4, 16 / 6],
  ['a small memory beside a heap of 64 MiB', 4, 112, 4, 1],
];

for (const [name, memory, heap, documents, changes] of TABLE) {
  test(`${name} gives ${documents} MiB for documents`, () => {
    const budget: MemoryBudget = memoryBudget(memory * MIB, heap * MIB);
    assert.equal(budget, {
      documents: documents * MIB,
      changes: Math.floor(changes * MIB),
      batchLength: Math.floor((changes * MIB) / 8),
    });
  });
}

test.run();
