import type { Subject } from '../alternate.js';

/** A store of documents with one put outstanding on each connection. */
export interface DurablePeer extends Omit<Subject, 'name'> {
  /** Whether each answer comes after its write is on stable storage. */
  isSynced: boolean;
  /** What a put is, and how it is synced. */
  note: string;
}
