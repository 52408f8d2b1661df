/** How the memory of the process is divided. All sizes are in bytes. */
export interface MemoryBudget {
  /** Documents in memory, whether or not they are on disk. */
  readonly documents: number;
  /** Changes that are under way, and past versions that are not in the history on disk. */
  readonly changes: number;
  /** The longest text that one fdatasync covers, in UTF-16 units. */
  readonly batchLength: number;
}

const MIB = 1024 * 1024;

/** What the program and the young generation of its heap take. `heap_size_limit` counts both. */
const PROGRAM_BYTES = 64 * MIB;
/** So much is left for changes and documents however small the heap is. */
const LEAST_HEAP_BYTES = 16 * MIB;
/** The shares of the heap. The rest is for requests, answers and garbage. */
const DOCUMENTS_OF_HEAP = 1 / 4;
const CHANGES_OF_HEAP = 1 / 6;
/** The changes' share of `TWIN_MEMORY_BYTES`. */
const CHANGES_OF_MEMORY = 1 / 4;
/** A batch is joined to one text, and encoded once more. */
const BATCH_OF_CHANGES = 1 / 8;

/**
 * @param memoryBytes the setting `TWIN_MEMORY_BYTES`
 * @param heapLimit the `heap_size_limit` of V8, which `--max-old-space-size` sets
 */
export function memoryBudget(memoryBytes: number, heapLimit: number): MemoryBudget {
  const heap = Math.max(LEAST_HEAP_BYTES, heapLimit - PROGRAM_BYTES);
  const changes = Math.floor(Math.min(memoryBytes * CHANGES_OF_MEMORY, heap * CHANGES_OF_HEAP));
  return {
    documents: Math.floor(Math.min(memoryBytes, heap * DOCUMENTS_OF_HEAP)),
    changes,
    batchLength: Math.floor(changes * BATCH_OF_CHANGES),
  };
}
