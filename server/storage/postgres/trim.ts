import type { StoredDocument } from '../storage.js';

/** The bounds of a history, as the settings give them. */
export interface HistoryBounds {
  /** How many past versions of each document are kept at least, as long as the bytes suffice. 0 keeps none. */
  readonly historyVersions: number;
  /** How many bytes the past versions of all documents of a file take at most. */
  readonly historyBytes: number;
}

/** What a version takes besides its data, in bytes, roughly. */
const VERSION_BYTES = 96;
/** A history may be longer than its bounds by these parts of them, because each trimming reads all of it. */
const PART_OF_VERSIONS = 1 / 8;
/** A file has up to 64 documents, and each of them may add so much. */
const PART_OF_BYTES = 1 / 64;
const LEAST_STEP = 16;

/**
 * Whether the history of a file is trimmed after this version of a document. The number of the version says so, and not a
 * count of a server: so it is due wherever the document is written, and however seldom.
 */
export function isTrimDue(
  { version, data }: Pick<StoredDocument, 'version' | 'data'>,
  { historyVersions, historyBytes }: HistoryBounds,
): boolean {
  const step = Math.min(
    historyVersions * PART_OF_VERSIONS,
    (historyBytes * PART_OF_BYTES) / (data.length + VERSION_BYTES),
  );
  // A power of two, because documents of nearly the same length should have the same step.
  return version % 2 ** Math.floor(Math.log2(Math.max(LEAST_STEP, step))) === 0;
}
