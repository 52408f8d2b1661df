/** What the firmware may take, in bytes. */

const KIB = 1024;

/** Of the modules' own bytecode, but for those of {@link PROOF}. */
export const BYTECODE_LIMIT = 35 * KIB;
/** The panel's own proof of its server, which has a bound of its own. One of them stands in the place of a module of the SDK. */
export const PROOF = /^firmware\/(verify|handshake|boards\/sdk\/(gate|p256)|boards\/tls\/cert)\.ts$/;
export const PROOF_LIMIT = 8 * KIB;
/** Of slots and chunks in use beyond what is in the ROM. */
export const HEAP_LIMIT = 28 * KIB;
/**
 * How many times what a panel holds the manifest gives to its machine at once. The rest is for what lives between two
 * garbage collections, and for a TLS handshake, which was seen in the SDK's simulator to hold 2500 slots and 47 KiB of
 * chunks, with what was not collected yet.
 */
export const HEAD_ROOM = { slots: 2, chunks: 7 };
