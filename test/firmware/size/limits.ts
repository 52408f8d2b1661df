/** What the firmware may take, in bytes. */

const KIB = 1024;

/** Of the modules' own bytecode. */
export const BYTECODE_LIMIT = 24 * KIB;
/** Of slots and chunks in use beyond what is in the ROM. */
export const HEAP_LIMIT = 24 * KIB;
