import { LIMITS } from '../../shared/document.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** JSON writes a character of one byte as `\\u0061`. */
const LONGEST_ESCAPE = 6;

/** The limits of the REST interface. Sizes are in bytes, times in milliseconds. */
export const REST_LIMITS = {
  /** Requests that wait for their turn behind others of the same share, over all its connections. */
  parkedRequests: 1024,
  /** Answers that the clients of one share have not taken, over all its connections. Above it, further requests wait. */
  unreadBytes: 16 * MIB,
  /** The longest body: the largest `data` with every character escaped, and what stands around it. */
  bodyBytes: LONGEST_ESCAPE * LIMITS.dataBytes + 8 * KIB,
  /** Headers of one request. */
  headers: 100,
  /** All headers of one request together. */
  headersBytes: 16 * KIB,
  /** How long the headers of a request may take to arrive. */
  headersMs: 8000,
  /** How long a whole request may take to arrive. */
  requestMs: 30_000,
  /** How long a connection stays open for another request. */
  keepAliveMs: 5000,
  /** How long a connection may move nothing, neither request nor answer. */
  idleMs: 60_000,
  /** Open event streams of all tokens. */
  events: 1024,
  /** Open event streams of one token. */
  eventsPerToken: 64,
  /** Changes that the reader of an event stream has not taken yet. */
  eventsBufferBytes: 1 * MIB,
  /** Between the comments that keep an event stream open. A reader without room for two of them is dropped. */
  eventsHeartbeatMs: 15_000,
  /** Writes that wait for the panel to follow. */
  waits: 1024,
  /** Those of one token. */
  waitsPerToken: 64,
  /** Keys of such a write, at all depths, with the elements of its lists. Each report of the panel is compared with them. */
  waitKeys: 64,
  /** How long such a write may wait, in seconds. */
  waitSeconds: 30,
  /** Documents in one answer of the history. */
  historyAnswerBytes: 4 * MIB,
  /** Answers of the history that are under way at the same time. */
  histories: 16,
  /** Those of one token, so that a reader who is slow leaves room for the others. */
  historiesPerToken: 4,
  /** How long the last answers may take to leave when the server stops. */
  stopMs: 2000,
};

export type RestLimits = Readonly<typeof REST_LIMITS>;
